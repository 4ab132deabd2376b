"""Who makes how many visits in which city, in batches of bounded size."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import Cardholders
from training.simulate.parameters import Parameters, chance

REFUND_SHARE = 0.014
MAX_CELLS = 1_500_000
MAX_VISITS = 250_000


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Cardholders in one city, each with so many visits and refunds to make there."""

    city: int
    away: bool
    cardholder: NDArray[np.int32]
    visits: NDArray[np.int64]
    refunds: NDArray[np.int64]


def plan_batches(asked: Parameters, people: Cardholders, n_merchants: int) -> Iterator[Batch]:
    """Share the rows out, city by city, in batches of bounded size."""
    rng = chance(asked.seed, 3)
    refunds = int(REFUND_SHARE * asked.transactions)
    share = people.activity / people.activity.sum()
    visits = rng.multinomial(asked.transactions - refunds, share)
    away = rng.binomial(visits, people.away_share)
    counts = np.concatenate([visits - away, away])
    back = _shared_out(rng, counts, refunds)
    city = np.concatenate([people.home, people.away])
    who = np.tile(np.arange(len(people), dtype=np.int32), 2)
    is_away = np.repeat([False, True], len(people))
    busy = np.flatnonzero(counts)
    busy = busy[np.lexsort((who[busy], is_away[busy], city[busy]))]
    group = city[busy].astype(np.int64) * 2 + is_away[busy]
    for key in np.unique(group):
        of_key = busy[group == key]
        for part in _split(of_key, counts[of_key], n_merchants):
            yield Batch(int(key) // 2, bool(key % 2), who[part], counts[part], back[part])


def _shared_out(
    rng: np.random.Generator, counts: NDArray[np.int64], total: int
) -> NDArray[np.int64]:
    """Refunds of each row of the plan: ``total`` of all visits at random, no visit twice."""
    if total == 0:
        return np.zeros_like(counts)
    drawn: NDArray[np.int64] = rng.multivariate_hypergeometric(counts, total, method="marginals")
    return drawn


def _split(
    rows: NDArray[np.int64], counts: NDArray[np.int64], n_merchants: int
) -> Iterator[NDArray[np.int64]]:
    """Cut rows so that neither a batch's taste table nor its visits grow large."""
    most_rows = max(1, MAX_CELLS // max(1, n_merchants))
    total = np.cumsum(counts)
    start = 0
    while start < rows.size:
        before = total[start - 1] if start else 0
        by_visits = int(np.searchsorted(total, before + MAX_VISITS, side="right"))
        stop = max(start + 1, min(start + most_rows, by_visits))
        yield rows[start:stop]
        start = stop
