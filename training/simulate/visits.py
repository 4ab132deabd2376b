"""Card usage: who visits which merchant on which day, for how much; whole batches at a time.

Visits follow a rich-get-richer process (Blackwell and MacQueen's urn): the ``t``-th visit of a
cardholder is new with probability ``variety / (variety + t)`` and else repeats one of the visits
before, so habits form. New visits are drawn from the tastes. A visit that meets a closed door or
the wrong season is drawn anew.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import Cardholders
from training.simulate.merchants import Merchants
from training.simulate.parameters import Parameters, chance
from training.simulate.places import USAGE_CHANNELS
from training.simulate.plan import Batch, plan_batches
from training.simulate.pools import Pool, pool_of
from training.simulate.purchases import VISIT, draw_amounts, draw_cards, settle
from training.simulate.seasons import SECONDS_A_DAY, acceptance_mean
from training.simulate.timing import Calendar, calendar_of, draw_days, draw_second_of_day

ALWAYS_NEW = 0.08
REDRAWS = 5


def draw_usage(
    asked: Parameters, people: Cardholders, merchants: Merchants
) -> Iterator[NDArray[np.void]]:
    """All card usage in batches of ``VISIT`` rows; exactly ``asked.transactions`` rows in all."""
    calendar = calendar_of(asked)
    accepted = acceptance_mean(asked.opens_at, asked.days)
    pools: dict[tuple[int, bool], Pool] = {}
    for number, batch in enumerate(plan_batches(asked, people, len(merchants))):
        key = (batch.city, batch.away)
        if key not in pools:
            pools = {key: pool_of(merchants, batch.city, accepted, away=batch.away)}
        rng = chance(asked.seed, 4, number)
        yield _draw_batch(rng, batch, pools[key], people, merchants, calendar)


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
    day = draw_days(rng, batch, owner, people, calendar)
    row = _merchants(rng, batch, owner, day, pool, people, merchants, calendar)
    made = np.zeros(owner.size, VISIT)
    made["cardholder"] = batch.cardholder[owner]
    made["merchant"] = row
    made["second"] = day * SECONDS_A_DAY + draw_second_of_day(rng, merchants.trade[row], calendar)
    made["city"] = np.where(merchants.online[row], -1, batch.city)
    made["amount_minor"] = draw_amounts(rng, row, people.affluence[made["cardholder"]], merchants)
    made["product"] = draw_cards(rng, people.products[made["cardholder"]])
    in_shop = rng.random(owner.size) < 0.55
    made["channel"] = np.where(
        merchants.online[row],
        USAGE_CHANNELS.index("online"),
        np.where(in_shop, USAGE_CHANNELS.index("qr"), USAGE_CHANNELS.index("pos")),
    )
    return settle(rng, made, owner, batch.refunds, calendar.days)


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
