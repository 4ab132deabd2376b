"""Moves events from the stream to dated files, each once.

Draft file, forced to disk → one script settles in the store that this file holds these entries and
acknowledges them, if they are still ours → the draft gets its name. Killed before the script, the
entries are taken over and the draft is swept up; killed after it, whoever comes next gives the
draft its name. So no entry is lost and none is in two files.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from embeddings.erasure import ErasedList
from recsvc.domain.moment import microseconds
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.events.archive import ArchiveStore, StreamEntry
from recsvc.workers.archive_files import check_row, settle_file, write_rows

MOST_DELIVERIES = 5
DRAFTS = "drafts"
DRAFT_MAX_AGE_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a row of a file."""

    position: str
    values: dict[str, Any]

    @property
    def day(self) -> str:
        """Day of arrival, in UTC."""
        return f"{self.values['received_at']:%Y-%m-%d}"


@dataclass(slots=True)
class Tally:
    """What one round did."""

    archived: int = 0
    buried: int = 0
    dropped: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        """Entries that are done with."""
        return self.archived + self.buried + self.dropped


class Archiver:
    """Archives one issuer's events.

    Parameters
    ----------
    issuer_id : str
    store : ArchiveStore
    folder : Path
        The issuer's folder in the archive; shared by all archivers.
    erased : tells who was erased by now
    clock : aware now
    log, metrics : where faults are told
    idle_seconds : after which entries of a reader that went away are taken over
    batch : most entries of one file
    """

    def __init__(  # noqa: PLR0913 - handed in by the command, by name
        self,
        issuer_id: str,
        store: ArchiveStore,
        folder: Path,
        *,
        erased: Callable[[], ErasedList],
        clock: Callable[[], datetime],
        log: Log,
        metrics: Metrics,
        idle_seconds: float = 60.0,
        batch: int = 10_000,
    ) -> None:
        self._issuer_id = issuer_id
        self._store = store
        self._folder = folder
        self._erased = erased
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._idle_ms = int(idle_seconds * 1000)
        self._batch = batch

    def round(self) -> Tally:
        """Archive one batch of what lies idle and one of what is new; trim what is past."""
        if self._store.open(self._issuer_id):
            self._tell("archive_group_made")
        self._finish_commits()
        tally = Tally()
        idle, gone = self._store.take_over(self._issuer_id, self._idle_ms, self._batch)
        if gone:
            tally.lost = gone
            self._tell("archive_gap", entries=gone)
        self._archive(idle, tally, again=True)
        self._archive(self._store.read(self._issuer_id, self._batch), tally)
        self._store.trim(self._issuer_id, microseconds(self._clock()) // 1000)
        return tally

    def _finish_commits(self) -> None:
        """Give settled drafts their names; sweep up drafts of readers that were killed."""
        for file in self._store.commits(self._issuer_id):
            draft, place = self._draft(file), self._folder / file
            if draft.is_file() or place.is_file():
                settle_file(draft, place)
                self._store.named(self._issuer_id, file)
            else:
                self._tell("archive_file_missing", file=file)
        for draft in self._folder.rglob("*.draft"):  # a file that was being rewritten has its own
            with suppress(FileNotFoundError):  # another archiver was quicker
                if time.time() - draft.stat().st_mtime > DRAFT_MAX_AGE_SECONDS:
                    draft.unlink()

    def _archive(
        self, entries: Sequence[StreamEntry], tally: Tally, *, again: bool = False
    ) -> None:
        """File what can be filed; what cannot waits for the next delivery, or is buried."""
        rows, faults = [], {}
        for entry in entries:
            try:
                rows.append(row_of(entry))
            except (ValueError, TypeError, KeyError) as error:
                faults[entry.position] = fault_of(error)
        if faults:
            self._refuse(faults, tally, again=again)
        for day, group in groupby(sorted(rows, key=lambda row: row.day), key=lambda row: row.day):
            self._file(day, list(group), tally)

    def _refuse(self, faults: dict[str, str], tally: Tally, *, again: bool) -> None:
        """Bury entries that were handed out often enough."""
        self._metrics.happened("event_unreadable")
        if not again:
            return
        for position, times in self._store.deliveries(self._issuer_id, list(faults)).items():
            if times >= MOST_DELIVERIES:
                self._store.bury(self._issuer_id, position, faults[position])
                tally.buried += 1
                self._tell("event_buried", reason=faults[position])

    def _file(self, day: str, rows: list[Row], tally: Tally) -> None:
        """One file of one day."""
        erased = self._erased()
        kept = [row for row in rows if not erased.covers(row.values["cardholder_id"])]
        rows.sort(key=lambda row: _place(row.position))
        file = f"{day}/{rows[0].position}_{rows[-1].position}_{uuid.uuid4().hex[:8]}.parquet"
        draft = self._draft(file)
        if kept:
            draft.parent.mkdir(parents=True, exist_ok=True)
            write_rows(draft, [row.values for row in kept])
        positions = [row.position for row in rows]
        if not self._store.commit(self._issuer_id, file if kept else "", positions):
            draft.unlink(missing_ok=True)
            self._tell("archive_taken_over", entries=len(rows))
            return
        if kept:
            settle_file(draft, self._folder / file)
            self._store.named(self._issuer_id, file)
        tally.archived += len(kept)
        tally.dropped += len(rows) - len(kept)

    def _draft(self, file: str) -> Path:
        return self._folder / DRAFTS / (Path(file).stem + ".draft")

    def _tell(self, event: str, **fields: object) -> None:
        self._metrics.happened(event)
        self._log.warning(event, issuer_id=self._issuer_id, **fields)


def row_of(entry: StreamEntry) -> Row:
    """Row of an entry.

    Raises
    ------
    ValueError, TypeError, KeyError
        it is no event that a file can hold
    """
    event: dict[str, Any] = orjson.loads(entry.event)
    milliseconds = int(entry.position.partition("-")[0])
    values = {
        **event,
        "occurred_at": datetime.fromisoformat(event["occurred_at"]),
        "received_at": datetime.fromtimestamp(milliseconds / 1000, UTC),
        "position": entry.position,
    }
    if not isinstance(values["cardholder_id"], str) or not isinstance(values["event_id"], str):
        raise TypeError("ids are not text")
    check_row(values)
    return Row(entry.position, values)


def fault_of(error: Exception) -> str:
    """One word for why an entry is no event; nothing of the entry itself."""
    if isinstance(error, orjson.JSONDecodeError):
        return "not_json"
    return "field_missing" if isinstance(error, KeyError) else "field_of_wrong_type"


def _place(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
