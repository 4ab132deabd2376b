"""Who saw which item, and what came of it: one row a pair of cardholder and item."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embeddings.catalog import Catalog
from embeddings.interactions import EventType
from embeddings.vocabulary import Vocabulary
from training.matrix.events import event_batches

TAKEN_UP = (EventType.ACTIVATED.value, EventType.REDEEMED.value)
LOOKED_INTO = (EventType.CLICKED.value, *TAKEN_UP)
SEEN = (EventType.VIEWED.value, EventType.DISMISSED.value, *LOOKED_INTO)
OUTCOMES = {"seen": SEEN, "looked_into": LOOKED_INTO, "taken_up": TAKEN_UP}
BIT_OF = {"seen": 1, "looked_into": 2, "taken_up": 4}
AT_ONCE = 100_000
ITEM_BITS = 32
"""A pair is one number: the cardholder's row above so many bits, the item's in them."""

Pairs = NDArray[np.int64]
Outcomes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Impressions:
    """Pairs of a cardholder and an item that he saw, in ascending order of (cardholder, item).

    Parameters
    ----------
    cardholders, items : int64, shape (n,)
        Rows of the model's cardholders and of its catalogue.
    looked_into, taken_up : bool, shape (n,)
        Whether he clicked it or more; whether he activated or redeemed it.
    """

    cardholders: NDArray[np.int64]
    items: NDArray[np.int64]
    looked_into: NDArray[np.bool_]
    taken_up: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.items.size)

    def where(self, kept: NDArray[np.bool_]) -> "Impressions":
        """Those of the mask."""
        return Impressions(
            self.cardholders[kept],
            self.items[kept],
            self.looked_into[kept],
            self.taken_up[kept],
        )


def read_impressions(
    path: Path, cardholders: Vocabulary, catalog: Catalog, *, max_cardholders: int
) -> Impressions:
    """Impressions of a log of responses: a parquet or NDJSON file, or a folder of them.

    An item that was served and not even viewed tells nothing, so where the log has views only
    what was viewed counts; a log without any view counts what was served.

    Parameters
    ----------
    path : Path
        Checked before by :func:`training.matrix.open_inputs`.
    cardholders : Vocabulary
        Others are left out.
    catalog : Catalog
    max_cardholders : int
        Only the first so many rows; rows are in the order of a keyed hash, so they are a sample.
    """
    holders = _codes(list(islice(cardholders, max_cardholders)), "cardholder_id", "cardholder")
    items = _codes([item.item_id for item in catalog.items], "item_id", "item")
    known, new = _together([]), []
    for batch in event_batches(path, (EventType.SERVED.value, *SEEN)):
        rows = batch.rows.select("type", "cardholder_id", "item_id")
        new.append(_answers(rows.join(holders, on="cardholder_id").join(items, on="item_id")))
        if sum(pairs.size for pairs, _ in new) > max(known[0].size // 4, AT_ONCE):
            known, new = _together([known, *new]), []
    pairs, outcomes = _together([known, *new])
    if (outcomes & BIT_OF["seen"]).any():
        is_seen = (outcomes & BIT_OF["seen"]) > 0
        pairs, outcomes = pairs[is_seen], outcomes[is_seen]
    return Impressions(
        pairs >> ITEM_BITS,
        pairs & ((1 << ITEM_BITS) - 1),
        (outcomes & BIT_OF["looked_into"]) > 0,
        (outcomes & BIT_OF["taken_up"]) > 0,
    )


def _answers(batch: pl.DataFrame) -> tuple[Pairs, Outcomes]:
    """Pairs of one batch, in one number each, and what came of each."""
    outcome = pl.sum_horizontal(
        pl.col("type").is_in(of).cast(pl.UInt8) * BIT_OF[name] for name, of in OUTCOMES.items()
    )
    pairs = batch["cardholder"].to_numpy() << ITEM_BITS | batch["item"].to_numpy()
    return _together([(pairs, batch.select(outcome).to_series().cast(pl.UInt8).to_numpy())])


def _together(parts: list[tuple[Pairs, Outcomes]]) -> tuple[Pairs, Outcomes]:
    """Each pair once, in ascending order, with everything that came of it."""
    pairs = np.concatenate([np.empty(0, np.int64), *(pairs for pairs, _ in parts)])
    outcomes = np.concatenate([np.empty(0, np.uint8), *(outcomes for _, outcomes in parts)])
    order = np.argsort(pairs, kind="stable")
    pairs, starts = np.unique(pairs[order], return_index=True)
    if not pairs.size:
        return pairs, outcomes
    return pairs, np.bitwise_or.reduceat(outcomes[order], starts)


def _codes(ids: list[str], name: str, row: str) -> pl.DataFrame:
    """Ids and their rows."""
    return pl.DataFrame(
        {name: ids, row: np.arange(len(ids), dtype=np.int64)},
        schema={name: pl.String(), row: pl.Int64()},
    )
