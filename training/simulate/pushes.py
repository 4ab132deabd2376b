"""Past push campaigns with a holdout: what an uplift model may learn from.

Three campaigns of one item each. Of the cardholders who consented to pushes and whom the terms
admit, half at random were pushed and half were held out; both are in the file.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.simulate.cardholders import Cardholders, cardholder_id
from training.simulate.items import Items
from training.simulate.parameters import Parameters, chance
from training.simulate.truth import Truth

CAMPAIGNS = 3
WINDOW_DAYS = 14
MOST_REACHED = 20_000

SCHEMA = pa.schema(
    [
        ("campaign_id", pa.string()),
        ("cardholder_id", pa.string()),
        ("item_id", pa.string()),
        ("channel", pa.string()),
        ("assigned_at", pa.timestamp("us", tz="UTC")),
        ("treated", pa.bool_()),
        ("activated", pa.bool_()),
        ("spend_before_minor", pa.int64()),
        ("spend_minor", pa.int64()),
    ]
)


def write_pushes(
    path: Path, asked: Parameters, people: Cardholders, items: Items, truth: Truth
) -> int:
    """Write one row a cardholder and campaign; returns how many.

    ``spend_before_minor`` and ``spend_minor`` are of the 14 days before and after the push.
    """
    written = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", store_schema=False) as writer:
        for number in range(CAMPAIGNS):
            table = _campaign(number, asked, people, items, truth)
            if table is not None:
                writer.write_table(table)
                written += table.num_rows
    return written


def _campaign(
    number: int, asked: Parameters, people: Cardholders, items: Items, truth: Truth
) -> pa.Table | None:
    """One campaign; None when no item was live or nobody could be reached."""
    rng = chance(asked.seed, 7, number)
    day = asked.days - WINDOW_DAYS * (number + 1)
    live = np.flatnonzero((items.starts <= day) & (day < items.ends) & ~items.cold)
    if live.size == 0:
        return None
    item_id = items.ids[int(rng.choice(live))]
    ids = _reachable(rng, day, item_id, people, truth)
    if not ids:
        return None
    treated = rng.random(len(ids)) < 0.5
    outcomes = truth.draw_campaign(rng, ids, item_id, treated, days=WINDOW_DAYS)
    rows: dict[str, Any] = {
        "campaign_id": [f"past_{number + 1}"] * len(ids),
        "cardholder_id": ids,
        "item_id": [item_id] * len(ids),
        "channel": ["push"] * len(ids),
        "assigned_at": [asked.opens_at + timedelta(days=day, hours=10)] * len(ids),
        "treated": treated,
        "activated": outcomes.activated,
        "spend_before_minor": outcomes.spend_before_minor,
        "spend_minor": outcomes.spend_minor,
    }
    return pa.table(rows, schema=SCHEMA)


def _reachable(
    rng: np.random.Generator, day: int, item_id: str, people: Cardholders, truth: Truth
) -> list[str]:
    """Cardholders about on the day, with consent, whom the terms admit; at most 20,000 of them."""
    about = (people.joins <= day) & (day < people.leaves)
    rows = np.flatnonzero(people.consents[:, 0] & people.consents[:, 1] & about)
    ids = [cardholder_id(int(row)) for row in rows]
    fits = truth.eligible(ids, [item_id], day=day)[:, 0]
    fitting = rows[fits]
    chosen = np.sort(rng.permutation(fitting)[:MOST_REACHED])
    return [cardholder_id(int(row)) for row in chosen]
