"""How good are lists of offers and benefits, where the truth they were drawn from is known.

Every eligible item counts, by its true probability of being activated: a list is worth the share of
the best possible list's discounted gain (nDCG with graded gains), so the oracle reaches 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.compose import Composition
from embeddings.model import Model
from training.appeal import Impressions
from training.evaluation.bootstrap import interval, paired_difference
from training.simulate.truth import Truth

REGULAR = 20
"""Transactions from which a cardholder is no longer a newcomer."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Who is asked, what he may have, and what it is truly worth to him.

    Parameters
    ----------
    rows : int64, shape (n,)            cardholder rows of the model
    gain : float64, shape (n, n_items)  probability of activation when shown
    eligible : bool, shape (n, n_items)
    """

    rows: NDArray[np.int64]
    gain: NDArray[np.float64]
    eligible: NDArray[np.bool_]

    def only(self, items: NDArray[np.bool_]) -> "Exam":
        """The same with no other items."""
        return Exam(self.rows, self.gain, self.eligible & items)


def exam_of(
    model: Model, truth: Truth, *, newcomers: bool, seed: int, max_cardholders: int
) -> Exam:
    """Ask regulars (20 transactions or more) or newcomers on the last day of usage.

    Parameters
    ----------
    model : Model
    truth : Truth
    newcomers : bool
    seed, max_cardholders : int
        A uniform sample when there are more.
    """
    names = list(model.cardholders)
    transactions = truth.arrays["cardholder_transactions"][truth.cardholder_rows(names)]
    rows = np.flatnonzero((transactions < REGULAR) == newcomers)
    if rows.size > max_cardholders:
        chance = np.random.default_rng(seed)
        rows = np.sort(chance.choice(rows, max_cardholders, replace=False))
    asked, items = [names[row] for row in rows], [i.item_id for i in model.catalog.items]
    return Exam(
        rows,
        truth.probability(asked, items),
        truth.eligible(asked, items, day=truth.days - 1),
    )


def graded_ndcg(exam: Exam, scores: Scores, k: int) -> NDArray[np.float64]:
    """Share of the best list's gain that the best ``k`` by score have, shape (n_judged,).

    Parameters
    ----------
    exam : Exam
    scores : float32, shape (n, n_items)      ties go to the lesser item id
    k : int, at least 1

    Returns
    -------
    float64 within [0, 1]; cardholders with fewer than two eligible items are left out
    """
    judged = np.flatnonzero(exam.eligible.sum(axis=1) >= 2)
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    found = np.empty(judged.size)
    for place, row in enumerate(judged):
        items = np.flatnonzero(exam.eligible[row])
        gain = exam.gain[row, items]
        shown = np.argsort(-scores[row, items], kind="stable")[:k]
        best = np.sort(gain)[::-1][:k]
        found[place] = (gain[shown] @ discount[: shown.size]) / (best @ discount[: best.size])
    return found


def served(model: Model, rows: NDArray[np.int64]) -> Scores:
    """The product's scores, as its search computes them."""
    composer = model.composer(Composition())
    composed = [composer.compose(item) for item in model.catalog.items]
    pulls = np.array([one.pull for one in composed], np.float32)
    biases = np.array([one.bias for one in composed], np.float32)
    return np.asarray(model.factors.cardholders[rows] @ pulls.T + biases, np.float32)


def baselines(
    model: Model, seen: Impressions, rows: NDArray[np.int64], seed: int
) -> dict[str, Scores]:
    """What a bank could do without a model, by name.

    ``most_activated`` (by everyone so far), ``popular_merchant`` (cardholders of the item's
    merchants, else of its categories), ``own_categories`` (his own visits to the item's
    categories, ties by popularity), ``random``.
    """
    composer = model.composer(Composition())
    composed = [composer.compose(item) for item in model.catalog.items]
    reach = np.array(
        [_reach(model, one.merchant_rows or one.category_rows) for one in composed], np.float32
    )
    everyone = np.ones((rows.size, 1), np.float32)
    taken = np.bincount(seen.items[seen.taken_up], minlength=len(composed)).astype(np.float32)
    visits = np.stack([_visits(model, int(row)) for row in rows])
    own = [visits[:, list(one.category_rows)].sum(axis=1) for one in composed]
    chance = np.random.default_rng(seed)
    return {
        "most_activated": everyone * taken,
        "popular_merchant": everyone * reach,
        "own_categories": np.stack(own, axis=1) + reach / (1 + reach.max()),
        "random": chance.random((rows.size, len(composed)), np.float32),
    }


def _reach(model: Model, rows: tuple[int, ...]) -> float:
    return float(model.column_cardholders[list(rows)].max()) if rows else 0.0


def _visits(model: Model, row: int) -> NDArray[np.float32]:
    """A cardholder's visits to every column."""
    cells = model.history.cells(row)
    found = np.zeros(len(model.columns), np.float32)
    found[model.history.rows[cells]] = model.history.visits[cells]
    return found


def figures(
    exam: Exam, scores: Mapping[str, Scores], *, k: int, seed: int, rounds: int
) -> dict[str, Any]:
    """Mean and interval of every model, and by how much the product leads the best other one.

    ``product`` must be among the scores.
    """
    of = {name: graded_ndcg(exam, one, k) for name, one in scores.items()}
    ours = of["product"]
    best = max((name for name in of if name != "product"), key=lambda name: of[name].mean())
    lead, low, high = paired_difference(ours, of[best], seed=seed, rounds=rounds)
    return {
        "cardholders": int(ours.size),
        "items_each": round(float(exam.eligible.sum(axis=1).mean()), 1) if ours.size else 0.0,
        "models": {
            name: dict(
                zip(
                    ("ndcg", "ndcg_low", "ndcg_high"),
                    _rounded(one.mean(), *interval(one, seed=seed, rounds=rounds)),
                    strict=True,
                )
            )
            for name, one in of.items()
            if one.size
        },
        "lead": dict(
            zip(("over", "mean", "low", "high"), (best, *_rounded(lead, low, high)), strict=True)
        ),
    }


def _rounded(*values: float) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
