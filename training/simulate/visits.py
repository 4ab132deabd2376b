"""Card usage: who visits which merchant on which day, for how much; whole batches at a time.

Visits follow a rich-get-richer process (Blackwell and MacQueen's urn): the ``t``-th visit of a
cardholder is new with probability ``variety / (variety + t)`` and else repeats one of the visits
before, so habits form. New visits are drawn from the tastes. A visit that meets a closed door or
the wrong season is drawn anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import Cardholders
from training.simulate.merchants import Merchants
from training.simulate.parameters import Parameters, chance
from training.simulate.places import CITIES, STATUSES, USAGE_CHANNELS
from training.simulate.pools import Pool, pool_of
from training.simulate.seasons import (
    SECONDS_A_DAY,
    acceptance,
    acceptance_mean,
    day_weights,
    hour_cdf,
)
from training.simulate.trades import TRADES

VISIT = np.dtype(
    [
        ("second", np.int32),
        ("cardholder", np.int32),
        ("merchant", np.int32),
        ("amount_minor", np.int32),
        ("city", np.int8),
        ("product", np.int8),
        ("channel", np.int8),
        ("status", np.int8),
    ]
)
"""One row of card usage: second since the window opened, rows of the tables, -1 for no city."""

REFUND_SHARE = 0.014
DECLINE_SHARE = 0.02
ALWAYS_NEW = 0.08
MAX_CELLS = 1_500_000
MAX_VISITS = 250_000
MAX_AMOUNT_MINOR = 20_000_000
REDRAWS = 5


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


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Cardholders in one city, each with so many visits and refunds to make there."""

    city: int
    away: bool
    cardholder: NDArray[np.int32]
    visits: NDArray[np.int64]
    refunds: NDArray[np.int64]


def draw_usage(
    asked: Parameters, people: Cardholders, merchants: Merchants
) -> Iterator[NDArray[np.void]]:
    """All card usage in batches of ``VISIT`` rows; exactly ``asked.transactions`` rows in all."""
    calendar = _calendar(asked)
    accepted = acceptance_mean(asked.opens_at, asked.days)
    pools: dict[tuple[int, bool], Pool] = {}
    for number, batch in enumerate(_batches(asked, people, len(merchants))):
        key = (batch.city, batch.away)
        if key not in pools:
            pools = {key: pool_of(merchants, batch.city, accepted, away=batch.away)}
        rng = chance(asked.seed, 4, number)
        yield _draw_batch(rng, batch, pools[key], people, merchants, calendar)


def _calendar(asked: Parameters) -> Calendar:
    """Tables of time for this window."""
    weights = day_weights(asked.opens_at, asked.days)
    cdf = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    return Calendar(cdf, acceptance(asked.opens_at, asked.days), hour_cdf())


def _batches(asked: Parameters, people: Cardholders, n_merchants: int) -> Iterator[Batch]:
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


def _draw_batch(
    rng: np.random.Generator,
    batch: Batch,
    pool: Pool,
    people: Cardholders,
    merchants: Merchants,
    calendar: Calendar,
) -> NDArray[np.void]:
    """Visits and refunds of one batch."""
    owner = np.repeat(np.arange(batch.cardholder.size), batch.visits)
    day = _days(rng, batch, owner, people, calendar)
    row = _merchants(rng, batch, owner, day, pool, people, merchants, calendar)
    made = np.zeros(owner.size, VISIT)
    made["cardholder"] = batch.cardholder[owner]
    made["merchant"] = row
    made["second"] = day * SECONDS_A_DAY + _second_of_day(rng, merchants.trade[row], calendar)
    made["city"] = np.where(merchants.online[row], -1, batch.city)
    made["amount_minor"] = _amounts(rng, row, people.affluence[made["cardholder"]], merchants)
    made["product"] = _cards(rng, people.products[made["cardholder"]])
    in_shop = rng.random(owner.size) < 0.55
    made["channel"] = np.where(
        merchants.online[row],
        USAGE_CHANNELS.index("online"),
        np.where(in_shop, USAGE_CHANNELS.index("qr"), USAGE_CHANNELS.index("pos")),
    )
    return _settle(rng, made, owner, batch.refunds, calendar.days)


def _days(
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


def _merchants(  # noqa: PLR0913, PLR0917 - the world, handed in
    rng: np.random.Generator,
    batch: Batch,
    owner: NDArray[np.int64],
    day: NDArray[np.int64],
    pool: Pool,
    people: Cardholders,
    merchants: Merchants,
    calendar: Calendar,
) -> NDArray[np.int32]:
    """Merchant row of each visit: habit, else taste; drawn anew where it cannot be."""
    cdf = _taste_cdf(people.taste[batch.cardholder], merchants.position[pool.rows], pool.base)
    start = np.cumsum(batch.visits) - batch.visits
    nth = np.arange(owner.size) - start[owner]
    variety = people.variety[batch.cardholder][owner]
    new = rng.random(owner.size) < np.maximum(variety / (variety + nth), ALWAYS_NEW)
    earlier = start[owner] + (rng.random(owner.size) * nth).astype(np.int64)
    parent = np.where(new, np.arange(owner.size), earlier)
    row = _draw(rng, cdf, owner, pool)[_roots(parent)]
    for _ in range(REDRAWS):
        wrong = np.flatnonzero(~_welcome(rng, row, day, merchants, calendar))
        if wrong.size == 0:
            return row
        row[wrong] = _draw(rng, cdf, owner[wrong], pool)
    row[~_open(row, day, merchants)] = 0
    return row


def _taste_cdf(
    taste: NDArray[np.float32], position: NDArray[np.float32], base: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Cumulative probabilities, cardholder after cardholder: row ``r`` runs from r to r + 1."""
    logits = taste @ position.T + base
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    cdf = np.cumsum(logits, axis=1, dtype=np.float64)
    cdf /= cdf[:, -1:]
    cdf += np.arange(len(taste))[:, None]
    return cdf.ravel()


def _draw(
    rng: np.random.Generator, cdf: NDArray[np.float64], owner: NDArray[np.int64], pool: Pool
) -> NDArray[np.int32]:
    """One merchant row by taste for each owner."""
    cell = np.searchsorted(cdf, owner + rng.random(owner.size), side="right")
    column = np.clip(cell - owner * pool.rows.size, 0, pool.rows.size - 1)
    return np.asarray(pool.rows[column], np.int32)


def _roots(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """First ancestor of each visit, by pointer jumping."""
    while True:
        grand = parent[parent]
        if np.array_equal(grand, parent):
            return parent
        parent = grand


def _open(
    row: NDArray[np.int32], day: NDArray[np.int64], merchants: Merchants
) -> NDArray[np.bool_]:
    """Whether the merchant trades on the day."""
    is_open: NDArray[np.bool_] = (merchants.opens[row] <= day) & (day < merchants.closes[row])
    return is_open


def _welcome(
    rng: np.random.Generator,
    row: NDArray[np.int32],
    day: NDArray[np.int64],
    merchants: Merchants,
    calendar: Calendar,
) -> NDArray[np.bool_]:
    """Whether the merchant trades on the day and the day suits the trade."""
    fits = rng.random(row.size) < calendar.accept[merchants.trade[row], day]
    return fits & _open(row, day, merchants)


def _second_of_day(
    rng: np.random.Generator, trade: NDArray[np.int16], calendar: Calendar
) -> NDArray[np.int64]:
    """Local second of the day by the trade's hours."""
    table = (calendar.hour_cdf + np.arange(len(TRADES))[:, None]).ravel()
    cell = np.searchsorted(table, trade + rng.random(trade.size), side="right")
    half_hour = np.clip(cell - trade.astype(np.int64) * 48, 0, 47)
    return np.asarray(half_hour * 1800 + rng.integers(0, 1800, trade.size), np.int64)


def _amounts(
    rng: np.random.Generator,
    row: NDArray[np.int32],
    affluence: NDArray[np.float32],
    merchants: Merchants,
) -> NDArray[np.int64]:
    """Minor units, at least 1 yuan, rounded as prices are: yuan, ten fen or not at all."""
    trade = merchants.trade[row]
    median = np.array([t.median_yuan for t in TRADES])[trade]
    spread = np.array([t.spread for t in TRADES])[trade]
    log_yuan = np.log(median) + spread * rng.standard_normal(row.size)
    fen = 100 * np.exp(log_yuan + merchants.price[row] + 0.12 * affluence)
    unit = rng.choice((100, 10, 1), row.size, p=(0.55, 0.3, 0.15))
    return np.asarray(np.clip(np.round(fen / unit) * unit, 100, MAX_AMOUNT_MINOR), np.int64)


def _cards(rng: np.random.Generator, products: NDArray[np.int8]) -> NDArray[np.int8]:
    """Card used: the main one mostly, another when there is one."""
    held = (products >= 0).sum(axis=1)
    other = 1 + (rng.random(held.size) * (held - 1)).astype(np.int64)
    slot = np.where((held > 1) & (rng.random(held.size) < 0.25), other, 0)
    return products[np.arange(held.size), slot]


def _settle(
    rng: np.random.Generator,
    made: NDArray[np.void],
    owner: NDArray[np.int64],
    refunds: NDArray[np.int64],
    days: int,
) -> NDArray[np.void]:
    """Statuses of the visits, followed by rows of their own for refunds and reversals."""
    end = days * SECONDS_A_DAY
    status = np.where(made["second"] >= end - 2 * SECONDS_A_DAY, "approved", "settled")
    status[rng.random(made.size) < DECLINE_SHARE] = "declined"
    order = np.lexsort((rng.random(made.size), owner))
    start = np.cumsum(np.bincount(owner, minlength=refunds.size))
    place = np.arange(made.size) - (start - np.bincount(owner, minlength=refunds.size))[owner]
    chosen = np.sort(order[place < refunds[owner]])
    status[chosen] = np.where(status[chosen] == "declined", "settled", status[chosen])
    back = made[chosen].copy()
    reversal = rng.random(chosen.size) < 0.3
    lag = np.where(
        reversal,
        rng.integers(60, 3600, chosen.size),
        rng.integers(SECONDS_A_DAY, 15 * SECONDS_A_DAY, chosen.size),
    )
    back["second"] = np.minimum(back["second"].astype(np.int64) + lag, end - 1)
    partly = ~reversal & (rng.random(chosen.size) < 0.2)
    back["amount_minor"][partly] = np.maximum(back["amount_minor"][partly] // 2, 1)
    made["status"] = _status_codes(status)
    back["status"] = _status_codes(np.where(reversal, "reversed", "returned"))
    return np.concatenate([made, back])


def _status_codes(words: NDArray[np.str_]) -> NDArray[np.int8]:
    """Rows of ``STATUSES``."""
    codes = np.zeros(words.size, np.int8)
    for code, status in enumerate(STATUSES):
        codes[words == status] = code
    return codes


def city_names() -> list[str]:
    """Ids of cities in row order."""
    return [c.city for c in CITIES]
