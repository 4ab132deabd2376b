"""The import of one source, from its files to one canonical table and a quarantine."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from training.errors import BadInputError, TrainingError
from training.mapping.csv_source import Block, read_csv
from training.mapping.duplicates import DuplicateFinder
from training.mapping.files import FoundFiles, find_files, folder_of
from training.mapping.lookups import join_lookups, read_lookups
from training.mapping.parquet_source import read_parquet
from training.mapping.rows import REFUNDS, RowReader
from training.mapping.spec import Mapping
from training.usage.quarantine import Quarantine
from training.usage.writer import UsageWriter

MOSTLY_BAD_ROWS = 200_000
POSITIONS = {"_line": pl.Int64, "_file_number": pl.Int32}
FUTURE = timedelta(days=1)


class TooManyRejectedError(TrainingError):
    """More rows were rejected than the mapping allows; no usage was written."""

    def __init__(self, message: str, report: "ImportReport") -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of every row: ``rows_read`` is accepted plus all rejected.

    Parameters
    ----------
    rows_read, rows_accepted : int
        Rows of the files that were read; of a duplicate file none is.
    rows_rejected : dict of str to int
        Reason → rows, the most frequent first; repeats are there as ``duplicate_row``.
    duplicate_files : int
        Files left out because another has the same content.
    duplicate_rows : int
        Rows dropped because they repeat another.
    repeats_kept : int
        Rows that equal an earlier one of their own file and count as purchases of their own.
    refunds, cardholders, merchants : int
        Of the accepted rows: those returned or reversed, distinct cardholders, merchants.
    first_at, last_at : datetime or None
        Of the accepted rows, in UTC.
    """

    rows_read: int
    rows_accepted: int
    rows_rejected: dict[str, int]
    duplicate_files: int
    duplicate_rows: int
    repeats_kept: int
    refunds: int = 0
    cardholders: int = 0
    merchants: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = {name: getattr(self, name) for name in self.__slots__}
        for name in ("first_at", "last_at"):
            found[name] = found[name] and found[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """One import, with everything it needs handed in.

    Parameters
    ----------
    mapping : Mapping
        What becomes what.
    mapping_path : Path
        Where it stands; patterns start from its folder unless ``source`` says otherwise.
    out, quarantine : Path
        The table to write, and the file of rejected rows.
    now : datetime
        Rows more than a day after it are in the future.
    source : Path or None
        Folder of the files.
    id_key : bytes or None
        Key of hashed ids.
    progress : callable
        Called with (files done, files, rows so far).
    """

    mapping: Mapping
    mapping_path: Path
    out: Path
    quarantine: Path
    now: datetime
    source: Path | None = None
    id_key: bytes | None = None
    progress: Callable[[int, int, int], None] = field(default=lambda _done, _of, _rows: None)

    def run(self) -> ImportReport:
        """Read everything, then write the table; on any failure there is no new one.

        Raises
        ------
        TooManyRejectedError
            More rows were rejected than ``checks.max_rejected_share``; the quarantine is written.
        BadInputError
            A file or a setting is wrong.
        """
        folder = folder_of(self.mapping.source, self.mapping_path, self.source)
        found = find_files(self.mapping.source, folder)
        with (
            tempfile.TemporaryDirectory(dir=_existing(self.out.parent)) as scratch,
            UsageWriter(self.out) as accepted,
            Quarantine(self.quarantine) as aside,
        ):
            return _Run(self, folder, found, Path(scratch), accepted, aside).run()


@dataclass(slots=True)
class _Run:
    """State of one run."""

    job: ImportJob
    folder: Path
    found: FoundFiles
    scratch: Path
    accepted: UsageWriter
    aside: Quarantine
    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def run(self) -> ImportReport:
        finder = DuplicateFinder(self.scratch, self.job.mapping.duplicates)
        positions = self.scratch / "positions.parquet"
        with pq.ParquetWriter(
            positions, pl.DataFrame(schema=POSITIONS).to_arrow().schema
        ) as places:
            tables = read_lookups(self.job.mapping, self.folder)
            for number, path in enumerate(self.found.files):
                for frame in self._accepted_frames(path, number, tables):
                    finder.add(frame, path.name)
                    self.accepted.write(frame)
                    place = frame.select("_line", _file_number=pl.lit(number, pl.Int32))
                    places.write_table(place.to_arrow())
        self.accepted.close()
        self._check_share(final=True)
        return self._finish(finder, positions)

    def _accepted_frames(
        self, path: Path, number: int, tables: dict[str, pl.DataFrame]
    ) -> Iterator[pl.DataFrame]:
        """Rows of one file that pass; the others go to the quarantine."""
        job = self.job
        reader = RowReader(job.mapping, job.now + FUTURE, job.id_key)
        for block in self._blocks(path):
            ragged = block.ragged.with_columns(_reason=pl.lit("wrong_number_of_fields"))
            self._reject(path, ragged)
            rows = join_lookups(block.rows, tables)
            _check_columns(path, rows, job.mapping)
            split = reader.read(rows)
            self._reject(path, split.rejected)
            self.read += block.rows.height + ragged.height
            self._check_share(final=False)
            job.progress(number, len(self.found.files), self.read)
            yield split.accepted

    def _blocks(self, path: Path) -> Iterator[Block]:
        """Blocks of one file; the mapping's row limit holds over all files."""
        source = self.job.mapping.source
        read = read_csv if source.format == "csv" else read_parquet
        left = replace(source, max_rows=max(source.max_rows - self.read, 1))
        found = 0
        for block in read(path, left, self.job.mapping.used_columns()):
            found += block.rows.height + block.ragged.height
            if self.read + found > source.max_rows:
                raise BadInputError(
                    f"{path.name}: more than {source.max_rows:,} rows in all; raise max_rows in "
                    "[source] if that is true"
                )
            yield block
        if not found:
            raise BadInputError(f"{path.name}: the file is empty: it has a header and no rows")

    def _reject(self, path: Path, rows: pl.DataFrame) -> None:
        """Count rows by reason and put them aside."""
        if rows.is_empty():
            return
        self.rejected.update(dict(rows["_reason"].value_counts().iter_rows()))
        self.aside.put(path.name, rows)

    def _check_share(self, *, final: bool) -> None:
        """Stop when too many rows were rejected: at the end, or when nearly all of many were."""
        bad = sum(self.rejected.values())
        allowed = self.job.mapping.checks.max_rejected_share
        mostly = self.read >= MOSTLY_BAD_ROWS and bad > self.read * max(allowed, 0.5)
        if not mostly and not (final and bad > self.read * allowed):
            return
        self.aside.publish()
        reason, count = self.rejected.most_common(1)[0]
        raise TooManyRejectedError(
            f"{bad:,} of {self.read:,} rows were rejected ({bad / self.read:.1%}, allowed are "
            f"{allowed:.1%}), most for {reason} ({count:,}); nothing was written to "
            f"{self.job.out}. The rows are in {self.job.quarantine}; mend the mapping or the "
            "files, or raise --max-rejected-share",
            self._report(0, {}),
        )

    def _finish(self, finder: DuplicateFinder, positions: Path) -> ImportReport:
        """Drop duplicates, publish and report."""
        duplicates = finder.find()
        dropped = int(duplicates.drop.sum())
        if not dropped:
            return self._publish(self.accepted, duplicates.repeats_kept)
        self.rejected["duplicate_row"] += dropped
        with UsageWriter(self.scratch / "kept.parquet") as kept:
            offset = 0
            places = pq.ParquetFile(positions).iter_batches(100_000)
            rows = pq.ParquetFile(self.accepted.draft).iter_batches(100_000)
            for batch, place in zip(rows, places, strict=True):
                frame = pl.concat(
                    [pl.DataFrame(pl.from_arrow(part)) for part in (batch, place)],
                    how="horizontal",
                )
                drop = pl.Series(duplicates.drop[offset : offset + frame.height])
                self._put_duplicates(frame.filter(drop))
                kept.write(frame.filter(~drop))
                offset += frame.height
            kept.close()
            kept.draft.replace(self.accepted.draft)
        return self._publish(self.accepted, duplicates.repeats_kept)

    def _put_duplicates(self, frame: pl.DataFrame) -> None:
        """Put dropped rows aside, under the file they stood in."""
        for (number,), rows in frame.group_by("_file_number", maintain_order=True):
            path = self.found.files[int(str(number))]
            shown = rows.with_columns(_reason=pl.lit("duplicate_row"))
            self.aside.put(path.name, shown.drop("_file_number"))

    def _publish(self, writer: UsageWriter, repeats_kept: int) -> ImportReport:
        """Describe the table, then put it and the quarantine in their places."""
        accepted = self.read - sum(self.rejected.values())
        if not accepted:
            raise BadInputError("no row was accepted; the files have none")
        report = self._report(repeats_kept, _described(writer.draft))
        self.aside.publish()
        writer.publish()
        return report

    def _report(self, repeats_kept: int, described: dict[str, Any]) -> ImportReport:
        bad = sum(self.rejected.values())
        return ImportReport(
            rows_read=self.read,
            rows_accepted=self.read - bad if described else 0,
            rows_rejected=dict(self.rejected.most_common()),
            duplicate_files=len(self.found.duplicates),
            duplicate_rows=self.rejected["duplicate_row"],
            repeats_kept=repeats_kept,
            **described,
        )


def _check_columns(path: Path, rows: pl.DataFrame, mapping: Mapping) -> None:
    """Refuse a file that lacks all spellings of a column the mapping reads."""
    for target, column in mapping.columns.items():
        present = [name for name in column.columns if name in rows.columns]
        if not present or (column.combine and len(present) < len(column.columns)):
            missing = " or ".join(f'"{n}"' for n in column.columns if n not in present)
            there = ", ".join(f'"{n}"' for n in rows.columns if not n.startswith("_"))
            raise BadInputError(
                f"{path.name}: column {missing} is missing, {mapping.name} reads {target} from it; "
                f"of the columns it names the file has {there or 'none'}. Correct the name, or "
                "list both spellings"
            )


def _described(path: Path) -> dict[str, Any]:
    """Counts and dates of a written table, read in batches; ids are counted by their hash."""
    seen = {name: np.empty(0, np.uint64) for name in ("cardholder_id", "merchant_id")}
    refunds = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(500_000, columns=[*seen, "status", "occurred_at"]):
            frame = pl.DataFrame(pl.from_arrow(batch))
            refunds += int(frame["status"].is_in(REFUNDS).sum())
            for name, hashes in seen.items():
                seen[name] = np.union1d(hashes, frame[name].hash().unique().to_numpy())
            at = frame["occurred_at"]
            known = [first_at, last_at, at.min(), at.max()]
            dates = [date for date in known if isinstance(date, datetime)]
            first_at, last_at = min(dates), max(dates)
    return {
        "refunds": refunds,
        "cardholders": len(seen["cardholder_id"]),
        "merchants": len(seen["merchant_id"]),
        "first_at": first_at,
        "last_at": last_at,
    }


def _existing(folder: Path) -> Path:
    """Make the folder of the output, so that scratch files are on its disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{folder}: cannot be made ({error.strerror})") from error
    return folder
