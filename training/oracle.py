"""How near a bundle comes to the truth of a simulated issuer.

The oracle orders the items a cardholder may have by the probability that he takes them up; this is
known of a simulation and of nothing else. The share of the oracle's nDCG is the discounted sum of
these probabilities in the bundle's order over that in the oracle's own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from training.errors import BadInputError
from training.evaluation.bootstrap import interval
from training.evaluation.ranking import top_k
from training.simulate.truth import Truth

WARM_TRANSACTIONS = 20

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the oracle's nDCG, as a mean over cardholders.

    Parameters
    ----------
    cardholders : int
    product, popular, chance : float
        Of the bundle's order, of the order by how many took an item up, of any order.
    low, high : float
        95 % interval of ``product``.
    """

    cardholders: int
    product: float
    popular: float
    chance: float
    low: float
    high: float

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return {name: round(getattr(self, name), 6) for name in Share.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class _World:
    """Truth and scores of the same cardholders (rows) and items (columns)."""

    odds: Scores
    eligible: NDArray[np.bool_]
    product: Scores
    popular: Scores
    cold: NDArray[np.bool_]
    transactions: NDArray[np.int64]


def shares(
    simulated: Path, bundle_folder: Path, *, k: int, sample: int, seed: int
) -> dict[str, Share]:
    """Shares of the oracle's nDCG@k, by who is asked and what is ranked.

    Parameters
    ----------
    simulated : Path
        Folder that ``simulate`` wrote, with its truth.
    bundle_folder : Path
        Bundle trained on that folder's usage.
    k, sample, seed : int
        Length of the lists; cardholders drawn, at most; and their draw.

    Returns
    -------
    dict
        ``warm_cardholders`` (20 transactions or more), ``light_cardholders`` (1 to 19),
        ``cold_cardholders`` (of whom the bundle has no vector), and ``cold_offers``: only items
        that nobody was shown, for warm cardholders.

    Raises
    ------
    BadInputError
        A folder without truth, or a bundle of another issuer.
    """
    world = _world(Truth.load(simulated), Bundle.open(bundle_folder), sample, seed)
    warm = world.transactions >= WARM_TRANSACTIONS
    known = np.asarray(world.product.any(axis=1), np.bool_)
    everything = np.ones_like(world.cold)
    asked = {
        "warm_cardholders": (warm & known, everything),
        "light_cardholders": (~warm & known, everything),
        "cold_cardholders": (~known, everything),
        "cold_offers": (warm & known, world.cold),
    }
    return {name: _share(world, who, what, k, seed) for name, (who, what) in asked.items()}


def _world(truth: Truth, bundle: Bundle, sample: int, seed: int) -> _World:
    everyone = truth.arrays["cardholder_transactions"].size
    chosen = np.random.default_rng(seed).permutation(everyone)[:sample]
    people = [f"ch_{row:07d}" for row in np.sort(chosen)]
    catalog = bundle.model.catalog
    items = [item.item_id for item in catalog.items]
    if not items:
        raise BadInputError(f"{bundle.version}: its catalogue is empty; nothing can be ranked")
    rows = truth.item_rows(items)
    popular = [bundle.model.columns.row(f"{_kind(i)}:{i.item_id}") for i in catalog.items]
    met = [0 if row is None else int(bundle.model.column_cardholders[row]) for row in popular]
    return _World(
        odds=truth.probability(people, items),
        eligible=truth.eligible(people, items, day=truth.days - 1),
        product=scores_of(bundle, people),
        popular=np.tile(np.array(met, np.float64), (len(people), 1)),
        cold=truth.arrays["item_cold"][rows].astype(np.bool_),
        transactions=truth.arrays["cardholder_transactions"][truth.cardholder_rows(people)],
    )


def _kind(item: Any) -> str:  # noqa: ANN401 - both kinds of items
    return "benefit" if item.kind == "benefit" else "offer"


def scores_of(bundle: Bundle, cardholder_ids: list[str]) -> Scores:
    """Scores of the bundle's catalogue by inner product, as serving has them.

    Returns
    -------
    float64, shape (n_cardholders, n_items); zeros for a cardholder the bundle does not know
    """
    composer = bundle.composer()
    composed = [composer.compose(item) for item in bundle.model.catalog.items]
    pull = np.array([item.pull for item in composed], np.float64)
    bias = np.array([item.bias for item in composed], np.float64)
    found = np.zeros((len(cardholder_ids), len(composed)))
    for place, cardholder_id in enumerate(cardholder_ids):
        row = bundle.model.cardholders.row(cardholder_id)
        if row is not None:
            found[place] = pull @ bundle.model.factors.cardholders[row] + bias
    return found


def _share(
    world: _World, who: NDArray[np.bool_], what: NDArray[np.bool_], k: int, seed: int
) -> Share:
    eligible = world.eligible[who][:, what]
    odds = np.where(eligible, world.odds[who][:, what], 0.0)
    asked = eligible.any(axis=1)
    odds, eligible = odds[asked], eligible[asked]
    ideal = _gain(odds, odds, eligible, k)
    ours, theirs = (
        _gain(scores[who][:, what][asked], odds, eligible, k) / ideal
        for scores in (world.product, world.popular)
    )
    lottery = np.random.default_rng(seed).random(odds.shape)
    chance = _gain(lottery, odds, eligible, k) / ideal
    low, high = interval(ours, seed=seed)
    means = [float(v.mean()) if v.size else 0.0 for v in (ours, theirs, chance)]
    return Share(int(asked.sum()), means[0], means[1], means[2], low, high)


def _gain(scores: Scores, odds: Scores, eligible: NDArray[np.bool_], k: int) -> Scores:
    """Discounted sum of probabilities of the first k in the order of the scores."""
    if not scores.size:
        return np.empty(0)
    order = top_k(np.where(eligible, scores, -np.inf).astype(np.float32), k)
    taken = np.where(order >= 0, np.take_along_axis(odds, np.maximum(order, 0), axis=1), 0.0)
    gain: Scores = (taken / np.log2(np.arange(2, k + 2))).sum(axis=1)
    return gain
