"""What a number stands for: from dated contacts to the strength of a cell.

A *cell* is what all contacts of one cardholder with one column add up to. Offline training and
online fold-in both come here, so they count alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.interactions import EventWeights

_NEVER = np.int32(np.iinfo(np.int32).min)
_MANY = 2_000
"""Contacts from which on putting them into whole numbers costs less than it saves."""
_WHOLE_BITS = 63


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells with a strength above 0, in ascending order of their key.

    Parameters
    ----------
    keys : int64, shape (n_cells,)
        The caller's number of a (cardholder, column) pair, ascending, each once.
    strength : float32, shape (n_cells,)
        Capped, decayed sum of weights, above 0.
    visits : int32, shape (n_cells,)
        Contacts less refunds, at least 0: evidence for reasons.
    last_day : int32, shape (n_cells,)
        Day of the last contact that counted for, in days since 1970-01-01 UTC.
    """

    keys: NDArray[np.int64]
    strength: NDArray[np.float32]
    visits: NDArray[np.int32]
    last_day: NDArray[np.int32]


def cells_of_contacts(
    keys: NDArray[np.int64],
    days: NDArray[np.int32],
    weights: NDArray[np.float32],
    counts: NDArray[np.int32],
    rule: EventWeights,
    *,
    as_of_day: int,
) -> Cells:
    """Add contacts up into cells.

    Per cell: the weights of each day are summed (refunds are negative), held within
    ``±daily_cap``, halved every ``half_life_days`` of age, and summed over the days. Contacts
    after ``as_of_day`` count as of age 0. Cells at or below 0 are left out.

    Parameters
    ----------
    keys : int64, shape (n,)
        Number of the (cardholder, column) pair of each contact, in any order.
    days : int32, shape (n,)
        Days since 1970-01-01 UTC.
    weights : float32, shape (n,)
        Signed weight: ``rule.of(type)``, negative for refunds.
    counts : int32, shape (n,)
        Signed number of visits a contact stands for (several when summed before).
    rule : EventWeights
    as_of_day : int
        The day from which ages are counted.

    Returns
    -------
    Cells; empty arrays for no contacts.
    """
    if keys.size == 0:
        return _no_cells()
    return _above_zero(signed_sums(keys, days, weights, counts, rule, as_of_day=as_of_day))


def add_cells(stored: Cells, news: Cells) -> Cells:
    """Cells after further contacts, without counting the earlier ones again.

    Equals :func:`cells_of_contacts` of all contacts together when no day of a cell stands on both
    sides and both were counted as of the same day.

    Parameters
    ----------
    stored : Cells
    news : Cells
        :func:`signed_sums` of the new contacts alone: new refunds take away from what is stored.
    """
    both, place = np.unique(np.concatenate([stored.keys, news.keys]), return_inverse=True)
    last_day = np.full(both.size, _NEVER, np.int32)
    np.maximum.at(last_day, place, np.concatenate([stored.last_day, news.last_day]))
    return _above_zero(
        Cells(
            both,
            _added(place, stored.strength, news.strength).astype(np.float32),
            _added(place, stored.visits, news.visits).astype(np.int32),
            last_day,
        )
    )


def _added(
    place: NDArray[np.intp], one: NDArray[np.number[Any]], other: NDArray[np.number[Any]]
) -> NDArray[np.float64]:
    """Sum of both at each place."""
    both = np.concatenate([one, other]).astype(np.float64)
    return np.bincount(place, weights=both).astype(np.float64)


def signed_sums(
    keys: NDArray[np.int64],
    days: NDArray[np.int32],
    weights: NDArray[np.float32],
    counts: NDArray[np.int32],
    rule: EventWeights,
    *,
    as_of_day: int,
) -> Cells:
    """As :func:`cells_of_contacts`, but every key stays: strength and visits may be at or below 0.

    What :func:`add_cells` takes. ``last_day`` is the smallest int32 where no contact counted for.
    """
    if keys.size == 0:
        return _no_cells()
    order = _by_key_and_day(keys, days)
    keys, days, weights, counts = keys[order], days[order], weights[order], counts[order]
    new_cell = np.r_[True, keys[1:] != keys[:-1]]
    day_start = np.flatnonzero(new_cell | np.r_[True, days[1:] != days[:-1]])
    per_day = np.clip(
        np.add.reduceat(weights.astype(np.float64), day_start), -rule.daily_cap, rule.daily_cap
    )
    faded = per_day * decay(days[day_start], rule.half_life_days, as_of_day=as_of_day)
    cell_start = np.flatnonzero(new_cell[day_start])
    last_day = np.maximum.reduceat(np.where(per_day > 0, days[day_start], _NEVER), cell_start)
    return Cells(
        keys[day_start[cell_start]],
        np.add.reduceat(faded, cell_start).astype(np.float32),
        np.add.reduceat(counts, day_start[cell_start]).astype(np.int32),
        last_day.astype(np.int32),
    )


def _by_key_and_day(keys: NDArray[np.int64], days: NDArray[np.int32]) -> NDArray[np.int64]:
    """Stable order by key, then by day: ``np.lexsort``, in a fraction of its time for many.

    Key, day and place go into one whole number each, where they fit, and those are sorted.
    """
    first_key, first_day = int(keys.min()), int(days.min())
    day_bits = (int(days.max()) - first_day).bit_length()
    place_bits = keys.size.bit_length()
    needed = (int(keys.max()) - first_key).bit_length() + day_bits + place_bits
    if keys.size < _MANY or needed > _WHOLE_BITS:
        return np.lexsort((days, keys))
    packed = (keys - first_key) << day_bits
    packed |= days.astype(np.int64) - first_day
    packed <<= place_bits
    packed |= np.arange(keys.size)
    packed.sort()
    packed &= (1 << place_bits) - 1
    return packed


def _above_zero(sums: Cells) -> Cells:
    """The cells whose strength is above 0; visits at least 0."""
    kept = sums.strength > 0
    return Cells(
        sums.keys[kept],
        sums.strength[kept],
        np.maximum(sums.visits[kept], 0),
        sums.last_day[kept],
    )


def decay(days: NDArray[np.int32], half_life_days: float, *, as_of_day: int) -> NDArray[np.float64]:
    """Factor in (0, 1] by which a contact of each day counts; 1 for days after ``as_of_day``."""
    age = np.maximum(as_of_day - days.astype(np.float64), 0.0)
    return np.exp2(-age / half_life_days)


def _no_cells() -> Cells:
    """Cells of nobody with nothing."""
    return Cells(
        np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int32)
    )
