"""Finds rows that stand twice in a source, in memory that does not grow with it.

Every accepted row leaves a fingerprint on disk, in one of many piles by its own value, so that
equal rows meet in one pile and a pile fits in memory.

The rules: a transaction id stands once for a purchase and once for its refund. Without an id, the
n-th equal row of a file repeats the n-th equal row of an earlier file: a statement that covers a
day twice brings the day's rows again, whereas two equal rows of one file are two purchases. So a
row is kept as often as the file that has it most often says.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.mapping.spec import Duplicates

PILES = 64
FINGERPRINT = np.dtype(
    [("low", "<u8"), ("high", "<u8"), ("row", "<i8"), ("file", "<i4"), ("exact", "?")]
)
KEY = ("cardholder_id", "merchant_id", "amount_minor", "currency", "occurred_at")


@dataclass(frozen=True, slots=True)
class FoundDuplicates:
    """What was found among ``total`` accepted rows.

    Parameters
    ----------
    drop : bool array, shape (total,)
        Rows that repeat another and are dropped.
    repeats_kept : int
        Rows that equal an earlier one of their own file and are kept as purchases.
    """

    drop: NDArray[np.bool_]
    repeats_kept: int


@dataclass(slots=True)
class DuplicateFinder:
    """Collects fingerprints in a folder of its own, then finds the duplicates.

    Parameters
    ----------
    folder : Path
        An existing folder for the piles.
    rules : Duplicates
        Which repeats are dropped.
    """

    folder: Path
    rules: Duplicates
    rows: int = 0
    _files: dict[str, int] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame, file: str) -> None:
        """Take the fingerprints of accepted rows, in their order; ``file`` unless ``_file``."""
        prints = np.empty(frame.height, FINGERPRINT)
        keys = _keys(frame)
        prints["low"] = keys.hash_rows(seed=1).to_numpy()
        prints["high"] = keys.hash_rows(seed=2).to_numpy()
        prints["row"] = np.arange(self.rows, self.rows + frame.height)
        prints["file"] = self._file_numbers(frame, file)
        prints["exact"] = frame["transaction_id"].is_not_null().to_numpy()
        self.rows += frame.height
        pile = (prints["low"] % PILES).astype(np.int64)
        order = np.argsort(pile, kind="stable")
        bounds = np.searchsorted(pile[order], np.arange(PILES + 1))
        for number in range(PILES):
            part = prints[order[bounds[number] : bounds[number + 1]]]
            with (self.folder / f"{number}.pile").open("ab") as stream:
                stream.write(part.tobytes())

    def find(self) -> FoundDuplicates:
        """Look at every pile once."""
        drop = np.zeros(self.rows, bool)
        kept = 0
        for path in sorted(self.folder.glob("*.pile")):
            repeated = _repeated(np.fromfile(path, FINGERPRINT))
            if len(repeated):
                judged = _judge(repeated, self.rules)
                drop[judged.filter(pl.col("drop"))["row"].to_numpy()] = True
                kept += judged.filter(~pl.col("drop") & (pl.col("nth") > 0)).height
        return FoundDuplicates(drop, kept)

    def _file_numbers(self, frame: pl.DataFrame, file: str) -> NDArray[np.int32]:
        """Number of the file each row came from; new names get the next number."""
        if "_file" not in frame.columns:
            return np.full(frame.height, self._files.setdefault(file, len(self._files)), np.int32)
        names = frame["_file"].unique(maintain_order=True).to_list()
        numbers = [self._files.setdefault(f"{file}/{name}", len(self._files)) for name in names]
        column = frame["_file"].replace_strict(names, numbers, return_dtype=pl.Int32)
        return column.to_numpy()


def _keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns that make two rows the same one: the id where there is one, else the purchase."""
    refund = pl.col("status").replace_strict(
        {"approved": 0, "settled": 0, "reversed": 1, "returned": 1, "declined": 2},
        return_dtype=pl.Int8,
    )
    named = pl.col("transaction_id").is_null()
    return frame.select(
        "transaction_id",
        refund.alias("direction"),
        *(pl.when(named).then(name).alias(name) for name in KEY),
    )


def _repeated(prints: NDArray[np.void]) -> NDArray[np.void]:
    """Only the fingerprints that occur more than once, in the order of their rows."""
    order = np.lexsort((prints["row"], prints["high"], prints["low"]))
    ordered = prints[order]
    same = (ordered["low"][1:] == ordered["low"][:-1]) & (
        ordered["high"][1:] == ordered["high"][:-1]
    )
    twin = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    repeated: NDArray[np.void] = ordered[twin[: len(ordered)]]
    return repeated


def _judge(prints: NDArray[np.void], rules: Duplicates) -> pl.DataFrame:
    """Tell which of these rows go: ``row``, ``nth`` (in its file) and ``drop``."""
    same = ["low", "high"]
    frame = pl.DataFrame({name: prints[name] for name in FINGERPRINT.names or ()})
    frame = frame.with_columns(
        nth=pl.int_range(pl.len()).over([*same, "file"]), any=pl.int_range(pl.len()).over(same)
    )
    frame = frame.with_columns(across=pl.int_range(pl.len()).over([*same, "nth"]))
    drop = pl.col("exact") & (pl.col("any") > 0)
    if rules.across_files:
        drop = drop | (pl.col("across") > 0)
    if rules.within_file:
        drop = drop | (pl.col("nth") > 0)
    return frame.select("row", "nth", drop.alias("drop"))
