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

TAKEN_UP = (EventType.ACTIVATED.value, EventType.REDEEMED.value)
LOOKED_INTO = (EventType.CLICKED.value, *TAKEN_UP)
SEEN = (EventType.VIEWED.value, EventType.DISMISSED.value, *LOOKED_INTO)
OUTCOMES = {"seen": SEEN, "looked_into": LOOKED_INTO, "taken_up": TAKEN_UP}
SUFFIXES = (".parquet", ".ndjson", ".jsonl")


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
    answers = (
        _events(path)
        .filter(pl.col("type").is_in((EventType.SERVED.value, *SEEN)))
        .join(holders.lazy(), on="cardholder_id")
        .join(items.lazy(), on="item_id")
        .group_by("cardholder", "item")
        .agg(
            *(pl.col("type").is_in(of).any().alias(name) for name, of in OUTCOMES.items()),
        )
        .collect(engine="streaming")
        .sort("cardholder", "item")
    )
    pairs = answers.filter("seen") if answers["seen"].any() else answers
    return Impressions(
        pairs["cardholder"].to_numpy().astype(np.int64),
        pairs["item"].to_numpy().astype(np.int64),
        pairs["looked_into"].to_numpy().astype(np.bool_),
        pairs["taken_up"].to_numpy().astype(np.bool_),
    )


def _events(path: Path) -> pl.LazyFrame:
    """``type, cardholder_id, item_id`` of all events."""
    files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    frames = [
        pl.scan_parquet(file) if file.suffix == ".parquet" else pl.scan_ndjson(file)
        for file in files
        if file.suffix in SUFFIXES
    ]
    return pl.concat([_columns(frame) for frame in frames])


def _columns(frame: pl.LazyFrame) -> pl.LazyFrame:
    named = "item_id" in frame.collect_schema()
    item = pl.col("item_id").cast(pl.String()) if named else pl.lit(None, pl.String())
    return frame.select("type", "cardholder_id", item.alias("item_id"))


def _codes(ids: list[str], name: str, row: str) -> pl.DataFrame:
    """Ids and their rows."""
    return pl.DataFrame(
        {name: ids, row: np.arange(len(ids), dtype=np.int64)},
        schema={name: pl.String(), row: pl.Int64()},
    )
