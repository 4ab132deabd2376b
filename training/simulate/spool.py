"""From batches in any order to one parquet file in order of time, in memory that does not grow.

Rows are first sorted out into one plain file for each thirty days, then each is read, sorted and
written as row groups.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.simulate.cardholders import cardholder_id
from training.simulate.merchants import Merchants, merchant_id
from training.simulate.parameters import Parameters
from training.simulate.places import CITIES, PRODUCTS, STATUSES, USAGE_CHANNELS
from training.simulate.purchases import VISIT
from training.simulate.seasons import SECONDS_A_DAY
from training.simulate.trades import TRADES

DAYS_A_BLOCK = 30
ROW_GROUP = 200_000

SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("cardholder_id", pa.string()),
        ("merchant_id", pa.string()),
        ("merchant_name", pa.string()),
        ("mcc", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("occurred_at", pa.timestamp("us", tz="UTC")),
        ("status", pa.string()),
        ("card_product_id", pa.string()),
        ("city", pa.string()),
        ("channel", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Words behind the rows of a visit, as arrow arrays to be taken from."""

    cardholders: pa.Array
    merchants: pa.Array
    merchant_names: pa.Array
    mccs: pa.Array
    cities: pa.Array
    products: pa.Array
    channels: pa.Array
    statuses: pa.Array

    @classmethod
    def of(cls, n_cardholders: int, merchants: Merchants) -> "Names":
        """Words of this world."""
        return cls(
            pa.array([cardholder_id(row) for row in range(n_cardholders)]),
            pa.array([merchant_id(row) for row in range(len(merchants))]),
            pa.array(merchants.names),
            pa.array([TRADES[t].mcc for t in merchants.trade]),
            pa.array([c.city for c in CITIES]),
            pa.array([p.card_product_id for p in PRODUCTS]),
            pa.array(USAGE_CHANNELS),
            pa.array(STATUSES),
        )


def write_usage(
    path: Path, batches: Iterable[NDArray[np.void]], asked: Parameters, names: Names
) -> int:
    """Write all rows in order of time; returns how many."""
    opens_us = int(asked.opens_at.timestamp()) * 1_000_000
    written = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", store_schema=False) as writer:
        for rows in in_order(path.parent, batches, VISIT, asked.days):
            writer.write_table(_table(rows, written, opens_us, names))
            written += rows.size
    return written


def in_order(
    folder: Path, batches: Iterable[NDArray[np.void]], dtype: np.dtype[np.void], days: int
) -> Iterator[NDArray[np.void]]:
    """All rows in order of ``second``, ``cardholder``, and then as they came, in pieces.

    Parameters
    ----------
    folder : Path
        Where a temporary folder may stand; it is gone at the end, and on failure.
    dtype : with int32 fields ``second`` and ``cardholder``
    days : int
        ``second`` lies in ``[0, days * 86400)``.
    """
    with TemporaryDirectory(dir=folder, prefix=".spool-") as spool:
        yield from _row_groups(_sort_out(Path(spool), batches, days), dtype)


def _sort_out(folder: Path, batches: Iterable[NDArray[np.void]], days: int) -> list[Path]:
    """Append each row to the file of its thirty days."""
    blocks = [folder / f"{n:03d}.rows" for n in range(-(-days // DAYS_A_BLOCK))]
    with ExitStack() as stack:
        files = [stack.enter_context(block.open("wb")) for block in blocks]
        for batch in batches:
            number = batch["second"] // (SECONDS_A_DAY * DAYS_A_BLOCK)
            order = np.argsort(number, kind="stable")
            cuts = np.searchsorted(number[order], np.arange(len(files) + 1))
            for n, file in enumerate(files):
                file.write(batch[order[cuts[n] : cuts[n + 1]]].tobytes())
    return blocks


def _row_groups(blocks: list[Path], dtype: np.dtype[np.void]) -> Iterator[NDArray[np.void]]:
    """Read, sort and cut block after block."""
    for block in blocks:
        rows = np.fromfile(block, dtype)
        block.unlink()
        key = rows["second"].astype(np.int64) << 32 | rows["cardholder"]
        rows = rows[np.argsort(key, kind="stable")]
        for start in range(0, rows.size, ROW_GROUP):
            yield rows[start : start + ROW_GROUP]


def _table(rows: NDArray[np.void], first: int, opens_us: int, names: Names) -> pa.Table:
    """Arrow table of the canonical columns."""
    at_us = opens_us + rows["second"].astype(np.int64) * 1_000_000
    nowhere = rows["city"] < 0
    columns = [
        numbered_ids("t", first, rows.size),
        names.cardholders.take(pa.array(rows["cardholder"])),
        names.merchants.take(pa.array(rows["merchant"])),
        names.merchant_names.take(pa.array(rows["merchant"])),
        names.mccs.take(pa.array(rows["merchant"])),
        pa.array(rows["amount_minor"].astype(np.int64)),
        pa.repeat(pa.scalar("CNY"), rows.size),
        pa.array(at_us, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        names.statuses.take(pa.array(rows["status"])),
        names.products.take(pa.array(rows["product"])),
        names.cities.take(pa.array(np.maximum(rows["city"], 0), mask=nowhere)),
        names.channels.take(pa.array(rows["channel"])),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def numbered_ids(letter: str, first: int, count: int) -> pa.Array:
    """``t_`` (or another letter) and ten digits from ``first`` on, without a Python string each."""
    width = 12
    text = np.empty((count, width), np.uint8)
    text[:, 0], text[:, 1] = ord(letter), ord("_")
    number = np.arange(first, first + count, dtype=np.int64)
    for place in range(width - 1, 1, -1):
        text[:, place] = ord("0") + number % 10
        number //= 10
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))
