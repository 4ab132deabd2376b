"""The import of one source, from its files to one canonical table and a quarantine."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from training.errors import BadInputError
from training.mapping.csv_source import Block, read_csv
from training.mapping.destinations import check_destinations
from training.mapping.duplicates import DuplicateFinder
from training.mapping.files import FoundFiles, find_files, folder_of
from training.mapping.header import check_columns
from training.mapping.lookups import join_lookups, read_lookups
from training.mapping.parquet_source import read_parquet
from training.mapping.reasons import REASONS
from training.mapping.report import ImportReport, TooManyRejectedError, described
from training.mapping.rows import RowReader
from training.mapping.spec import Mapping
from training.usage.quarantine import Quarantine
from training.usage.writer import UsageWriter

MOSTLY_BAD_ROWS = 200_000
POSITIONS = {"_line": pl.Int64, "_file_number": pl.Int32}
FUTURE = timedelta(days=1)


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
        check_destinations(self.out, self.quarantine, found.files)
        try:
            with (
                tempfile.TemporaryDirectory(dir=self.out.parent) as scratch,
                UsageWriter(self.out) as accepted,
                Quarantine(self.quarantine) as aside,
            ):
                return _Run(self, folder, found, Path(scratch), accepted, aside).run()
        except OSError as error:
            raise BadInputError(
                f"{self.out}: cannot be written ({error.strerror or error}); nothing was changed. "
                "Choose another --out, or make room and rights for it"
            ) from error


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
    first: dict[str, str] = field(default_factory=dict)

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
            check_columns(path, block.header, rows.columns, job.mapping)
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
        reasons = rows["_reason"]
        for reason, count in reasons.value_counts().iter_rows():
            if reason not in self.first:
                line = rows["_line"][(reasons == reason).arg_max()]
                self.first[reason] = f"line {line:,} of {path.name}"
            self.rejected[reason] += count
        self.aside.put(path.name, rows)

    def _check_share(self, *, final: bool) -> None:
        """Stop when too many rows were rejected, or all: at the end, or when most of many were."""
        bad = sum(self.rejected.values())
        allowed = self.job.mapping.checks.max_rejected_share
        mostly = self.read >= MOSTLY_BAD_ROWS and bad > self.read * max(allowed, 0.5)
        none_left = final and bad == self.read
        if not mostly and not none_left and not (final and bad > self.read * allowed):
            return
        self.aside.publish()
        reason, count = self.rejected.most_common(1)[0]
        advice = "" if none_left else ". If they may be left out, raise --max-rejected-share"
        raise TooManyRejectedError(
            f"{bad:,} of {self.read:,} rows were rejected ({bad / self.read:.1%}, allowed are "
            f"{allowed:.1%}), most for {reason} ({count:,}; the first is {self.first[reason]}): "
            f"{REASONS[reason].meaning}; {REASONS[reason].remedy}. Nothing was "
            f"written to {self.job.out}; the rows are in {self.job.quarantine}{advice}",
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
        report = self._report(repeats_kept, described(writer.draft))
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
