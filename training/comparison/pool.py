"""Several splits as one: figures of all cardholders, resampled cardholder by cardholder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import Vocabulary
from training.evaluation import Figures
from training.evaluation.bootstrap import paired_difference

TOGETHER = ("coverage", "novelty", "popularity_bias", "calibration_error")


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Figures of one model over all splits.

    Parameters
    ----------
    parts : tuple of Figures
        One a split.
    settings : tuple of str
        How the model was set on each split.
    recall, ndcg : float64, shape (n,)
        Of each cardholder of each split.
    who : int64, shape (n,)
        The cardholder, the same number on every split.
    """

    parts: tuple[Figures, ...]
    settings: tuple[str, ...]
    recall: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    who: NDArray[np.int64]

    def as_document(self, seed: int) -> dict[str, Any]:
        """JSON form; a single split brings its segments along."""
        document = self._means(seed)
        if len(self.parts) == 1:
            document["segments"] = self.parts[0].as_document()["segments"]
        return {**document, "settings": list(self.settings)}

    def _means(self, seed: int) -> dict[str, Any]:
        recall, low, high = self.difference(None, "recall", seed)
        weight = np.array([part.overall.cardholders for part in self.parts], np.float64)
        share = weight / max(weight.sum(), 1.0)
        per_person = {
            name: sum(s * getattr(p.overall, name) for s, p in zip(share, self.parts, strict=True))
            for name in ("mrr", "hit_rate")
        }
        together = {
            name: sum(s * getattr(p, name) for s, p in zip(share, self.parts, strict=True))
            for name in TOGETHER
        }
        found = {
            "recall": recall,
            "ndcg": float(self.ndcg.mean()) if self.ndcg.size else 0.0,
            "recall_low": low,
            "recall_high": high,
            **per_person,
            **together,
        }
        return {name: round(float(value), 6) for name, value in found.items()}

    def difference(
        self, other: "Pool | None", figure: str, seed: int
    ) -> tuple[float, float, float]:
        """Mean of a figure, or of its lead over another model, and its interval."""
        ours = getattr(self, figure)
        theirs = np.zeros_like(ours) if other is None else getattr(other, figure)
        return paired_difference(ours, theirs, seed=seed, clusters=self.who)


def pooled(
    parts: Sequence[Figures], settings: Sequence[str], cardholders: Sequence[Vocabulary]
) -> Pool:
    """Join the figures of one model over splits.

    Parameters
    ----------
    parts, settings : one a split
    cardholders : one a split
        Ids of the split's rows, by which a cardholder is known again.
    """
    number: dict[str, int] = {}
    who = [
        number.setdefault(names.id(int(row)), len(number))
        for part, names in zip(parts, cardholders, strict=True)
        for row in part.rows
    ]
    return Pool(
        tuple(parts),
        tuple(settings),
        np.concatenate([part.recall_of for part in parts]),
        np.concatenate([part.ndcg_of for part in parts]),
        np.array(who, np.int64),
    )


def lead_over(pools: dict[str, Pool], product: str, seed: int) -> dict[str, Any]:
    """Lead of the product over every other model: mean and 95 % interval of recall and nDCG."""
    ours = pools[product]
    return {
        name: {
            figure: dict(
                zip(
                    ("mean", "low", "high"),
                    (round(value, 6) for value in ours.difference(pool, figure, seed)),
                    strict=True,
                )
            )
            for figure in ("recall", "ndcg")
        }
        for name, pool in pools.items()
        if name != product
    }


def pairs_of(pool: Pool) -> int:
    """What there was to find, over all splits."""
    return sum(part.overall.pairs for part in pool.parts)


def best_rival(pools: dict[str, Pool], ours: tuple[str, ...]) -> str | None:
    """Baseline with the highest nDCG; None without any."""
    others = {name: pool for name, pool in pools.items() if name not in ours}
    return max(others, key=lambda name: float(others[name].ndcg.mean()), default=None)
