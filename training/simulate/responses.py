"""What cardholders did with items they were shown: the app's log, drawn from the same tastes.

Each pair of a cardholder and an item is shown at most once, to the eligible only, and mostly not by
merit: the log favours what suits a cardholder only a little, as an issuer's rules of thumb do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.simulate.cardholders import Cardholders, bits, product_bits, tier_bits
from training.simulate.items import Items
from training.simulate.ledger import Ledger
from training.simulate.odds import admitted, log_odds, sigmoid
from training.simulate.parameters import Parameters, chance
from training.simulate.seasons import SECONDS_A_DAY
from training.simulate.spool import Names, in_order, numbered_ids

EVENT = np.dtype(
    [
        ("second", np.int32),
        ("cardholder", np.int32),
        ("item", np.int32),
        ("type", np.int8),
        ("reason", np.int8),
    ]
)
"""One event: second since the window opened, rows of the tables, -1 for no reason."""
TYPES = ("served", "viewed", "clicked", "activated", "redeemed", "dismissed")
REASONS = ("not_interested", "too_far", "already_used")
LOG_DAYS = 180
MERIT = 0.3
WITHOUT_APP = 0.06
MAX_CELLS = 2_000_000

SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("type", pa.string()),
        ("cardholder_id", pa.string()),
        ("item_id", pa.string()),
        ("occurred_at", pa.timestamp("us", tz="UTC")),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Items shown: rows of cardholder and item, day, and log-odds of activation."""

    cardholder: NDArray[np.int32]
    item: NDArray[np.int32]
    day: NDArray[np.int32]
    utility: NDArray[np.float64]

    def where(self, kept: NDArray[np.bool_]) -> "Shown":
        """Those of the mask."""
        return Shown(self.cardholder[kept], self.item[kept], self.day[kept], self.utility[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What cardholders have and what items want, as bits by word."""

    has: dict[str, NDArray[np.int64]]
    wanted: dict[str, NDArray[np.int64]]

    def admit(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether product, tier, city and segment fit, shape (n_rows, n_items)."""
        return admitted({word: held[rows] for word, held in self.has.items()}, self.wanted)


def write_responses(
    path: Path, batches: Iterator[NDArray[np.void]], asked: Parameters, names: Names, items: Items
) -> int:
    """Write all events in order of time; returns how many."""
    opens_us = int(asked.opens_at.timestamp()) * 1_000_000
    item_ids, types, reasons = pa.array(items.ids), pa.array(TYPES), pa.array(REASONS)
    written = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", store_schema=False) as writer:
        for rows in in_order(path.parent, batches, EVENT, asked.days):
            at_us = opens_us + rows["second"].astype(np.int64) * 1_000_000
            silent = rows["reason"] < 0
            columns = [
                numbered_ids("e", written, rows.size),
                types.take(pa.array(rows["type"])),
                names.cardholders.take(pa.array(rows["cardholder"])),
                item_ids.take(pa.array(rows["item"])),
                pa.array(at_us, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
                reasons.take(pa.array(np.maximum(rows["reason"], 0), mask=silent)),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
            written += rows.size
    return written


def draw_responses(
    asked: Parameters, people: Cardholders, items: Items, ledger: Ledger
) -> Iterator[NDArray[np.void]]:
    """All events in batches of ``EVENT`` rows."""
    step = max(1, MAX_CELLS // max(1, len(items)))
    weekday_bits, may_see = _weekdays(items), _terms(people, items)
    for start in range(0, len(people), step):
        rng = chance(asked.seed, 6, start // step)
        rows = np.arange(start, min(start + step, len(people)))
        shown = _show(rng, rows, asked, people, items, may_see)
        shown = shown.where(_allowed(shown, asked, items, ledger, weekday_bits))
        yield _respond(rng, shown, asked)


def _show(
    rng: np.random.Generator,
    rows: NDArray[np.int64],
    asked: Parameters,
    people: Cardholders,
    items: Items,
    terms: Terms,
) -> Shown:
    """Draw what is shown to whom and when, each pair once."""
    utility = log_odds(
        people.taste[rows], people.home[rows], items.position, items.offset, items.city
    )
    weight = np.exp(MERIT * utility) * terms.admit(rows)
    weight[:, items.cold] = 0.0
    total = weight.sum(axis=1)
    times = rng.poisson(asked.exposures * rng.gamma(1.5, 1 / 1.5, rows.size))
    times[(rng.random(rows.size) < WITHOUT_APP) | (total == 0)] = 0
    times[people.joins[rows] >= asked.days - 21] = 0
    owner = np.repeat(np.arange(rows.size), times)
    cdf = np.cumsum(weight / np.maximum(total, 1e-300)[:, None], axis=1)
    cdf += np.arange(rows.size)[:, None]
    cell = np.searchsorted(cdf.ravel(), owner + rng.random(owner.size), side="right")
    pair = np.unique(owner * len(items) + np.clip(cell - owner * len(items), 0, len(items) - 1))
    owner, item = np.divmod(pair, len(items))
    return _dated(rng, rows, owner, item, utility[owner, item], asked, people, items)


def _dated(  # noqa: PLR0913, PLR0917 - the world, handed in
    rng: np.random.Generator,
    rows: NDArray[np.int64],
    owner: NDArray[np.int64],
    item: NDArray[np.int64],
    utility: NDArray[np.float64],
    asked: Parameters,
    people: Cardholders,
    items: Items,
) -> Shown:
    """Give each pair a day on which both are about; those that never meet are left out."""
    who = rows[owner]
    first = np.maximum(np.maximum(items.starts[item], people.joins[who]), asked.days - LOG_DAYS)
    first = np.maximum(first, 0)
    end = np.minimum(np.minimum(items.ends[item], people.leaves[who]), asked.days)
    day = first + (rng.random(who.size) * (end - first)).astype(np.int64)
    shown = Shown(who.astype(np.int32), item.astype(np.int32), day.astype(np.int32), utility)
    return shown.where(first < end)


def _terms(people: Cardholders, items: Items) -> Terms:
    """Bits of everyone and of every item."""
    has = {
        "product": product_bits(people),
        "tier": tier_bits(people),
        "segment": bits(people.segments),
        "city": np.int64(1) << people.home.astype(np.int64),
    }
    wanted = {
        "product": items.product_bits,
        "tier": items.tier_bits,
        "segment": items.segment_bits,
        "city": items.city_bits,
    }
    return Terms(has, wanted)


def _weekdays(items: Items) -> NDArray[np.int64]:
    """Bits of the days of the week (Monday 0) of each item; all when its terms name none."""
    return np.array(
        [sum(1 << (d - 1) for d in i.terms.days_of_week) or 0b1111111 for i in items.catalog],
        np.int64,
    )


def _allowed(
    shown: Shown,
    asked: Parameters,
    items: Items,
    ledger: Ledger,
    weekday_bits: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Terms that depend on the day: weekday, and recency of purchases at the merchant."""
    first_weekday = (asked.opens_at + timedelta(hours=8)).weekday()
    weekday = (first_weekday + shown.day) % 7
    on_day: NDArray[np.bool_] = (weekday_bits[shown.item] >> weekday) & 1 == 1
    merchant = items.recency_merchant[shown.item]
    asks = np.flatnonzero(merchant >= 0)
    since = shown.day[asks] - items.recency_days[shown.item[asks]]
    seen = ledger.visited_since(shown.cardholder[asks], merchant[asks], since, shown.day[asks])
    on_day[asks[seen]] = False
    return on_day


def _respond(rng: np.random.Generator, shown: Shown, asked: Parameters) -> NDArray[np.void]:
    """Draw each funnel. Activation has exactly the truth's probability; the rest surrounds it."""
    n, z = shown.item.size, shown.utility
    activated = rng.random(n) < sigmoid(z)
    viewed = activated | (rng.random(n) < 0.55)
    clicked = activated | (viewed & (rng.random(n) < sigmoid(0.6 * z + 0.2)))
    redeemed = activated & (rng.random(n) < sigmoid(0.3 * z + 1.2))
    dismissed = viewed & ~clicked & (rng.random(n) < sigmoid(-0.8 * z - 5.5))
    served_at = shown.day.astype(np.int64) * SECONDS_A_DAY + rng.integers(28_800, 82_000, n)
    viewed_at = served_at + rng.integers(1, 30, n)
    clicked_at = viewed_at + rng.integers(1, 60, n)
    activated_at = clicked_at + rng.integers(1, 120, n)
    redeemed_at = activated_at + (rng.exponential(6, n) * SECONDS_A_DAY).astype(np.int64) + 600
    moments = (served_at, viewed_at, clicked_at, activated_at, redeemed_at, clicked_at)
    happened = (np.ones(n, bool), viewed, clicked, activated, redeemed, dismissed)
    parts = [
        _events(rng, shown, code, moment, mask & (moment < asked.days * SECONDS_A_DAY))
        for code, (moment, mask) in enumerate(zip(moments, happened, strict=True))
    ]
    return np.concatenate(parts)


def _events(
    rng: np.random.Generator,
    shown: Shown,
    code: int,
    moment: NDArray[np.int64],
    mask: NDArray[np.bool_],
) -> NDArray[np.void]:
    """Events of one type."""
    events = np.zeros(int(mask.sum()), EVENT)
    events["second"], events["type"] = moment[mask], code
    events["cardholder"], events["item"] = shown.cardholder[mask], shown.item[mask]
    events["reason"] = -1
    if TYPES[code] == "dismissed":
        events["reason"] = rng.integers(0, len(REASONS), events.size)
    return events
