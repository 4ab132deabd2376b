"""Days and hours of visits, from the calendar's profiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import Cardholders
from training.simulate.parameters import Parameters
from training.simulate.plan import Batch
from training.simulate.seasons import acceptance, day_weights, hour_cdf
from training.simulate.trades import TRADES


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """What every batch needs to know of time.

    Parameters
    ----------
    day_cdf : float64, shape (days + 1,)
        Cumulative weight of days; first is 0, last is 1.
    accept : float32, shape (n_trades, days)
    hour_cdf : float64, shape (n_trades, 48)
    """

    day_cdf: NDArray[np.float64]
    accept: NDArray[np.float32]
    hour_cdf: NDArray[np.float64]

    @property
    def days(self) -> int:
        """Length of the window."""
        return int(self.day_cdf.size - 1)


def calendar_of(asked: Parameters) -> Calendar:
    """Tables of time for this window."""
    weights = day_weights(asked.opens_at, asked.days)
    cdf = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    return Calendar(cdf, acceptance(asked.opens_at, asked.days), hour_cdf())


def draw_days(
    rng: np.random.Generator,
    batch: Batch,
    owner: NDArray[np.int64],
    people: Cardholders,
    calendar: Calendar,
) -> NDArray[np.int64]:
    """Day of each visit, ascending for each owner; trips come in a few short stays."""
    joins = people.joins[batch.cardholder].astype(np.int64)
    leaves = people.leaves[batch.cardholder].astype(np.int64)
    if batch.away:
        trips = np.minimum(1 + batch.visits // 8, 12)
        place = rng.random((batch.visits.size, int(trips.max())))
        starts = _by_weight(place, joins[:, None], leaves[:, None], calendar.day_cdf)
        which = (rng.random(owner.size) * trips[owner]).astype(np.int64)
        day = starts[owner, which] + rng.integers(0, 4, owner.size)
        day = np.minimum(day, leaves[owner] - 1)
    else:
        day = _by_weight(rng.random(owner.size), joins[owner], leaves[owner], calendar.day_cdf)
    key = np.sort(owner * calendar.days + day)
    sorted_days: NDArray[np.int64] = key % calendar.days
    return sorted_days


def _by_weight(
    chance_of: NDArray[np.float64],
    first: NDArray[np.int64],
    end: NDArray[np.int64],
    cdf: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Days in ``[first, end)`` by inverse cumulative weight."""
    level = cdf[first] + chance_of * (cdf[end] - cdf[first])
    day = np.searchsorted(cdf, level, side="right") - 1
    return np.clip(day, first, end - 1)


def draw_second_of_day(
    rng: np.random.Generator, trade: NDArray[np.int16], calendar: Calendar
) -> NDArray[np.int64]:
    """Local second of the day by the trade's hours."""
    table = (calendar.hour_cdf + np.arange(len(TRADES))[:, None]).ravel()
    cell = np.searchsorted(table, trade + rng.random(trade.size), side="right")
    half_hour = np.clip(cell - trade.astype(np.int64) * 48, 0, 47)
    return np.asarray(half_hour * 1800 + rng.integers(0, 1800, trade.size), np.int64)
