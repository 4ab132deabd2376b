"""``recsvc worker archive``."""

import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from recsvc.cli.stopping import Seconds, repeat, stop_by_signal
from recsvc.domain.errors import StoreAwayError
from recsvc.logs import Log, open_log
from recsvc.metrics import Metrics
from recsvc.settings import read_settings
from recsvc.stores.assembly import Stores, open_stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.events.archive import ArchiveStore
from recsvc.stores.rights.deleted_interests import DeletedInterestStore
from recsvc.stores.rights.sweeping import Sweeper
from recsvc.workers.archiver import Archiver
from recsvc.workers.audit_witness import AuditWitness
from recsvc.workers.forgetting import Forgetting
from recsvc.workers.pointer_record import PointerRecord
from recsvc.workers.telling import Telling


@click.command("archive")
@click.option("--once", is_flag=True, help="archive what is there and end")
@click.option("--every", type=Seconds(0.01), default=5.0, help="seconds between two rounds")
@click.option(
    "--idle-seconds",
    type=Seconds(0),
    default=60.0,
    help="after which a dead reader's events are taken",
)
@click.option("--batch", default=10_000, help="most events of one file")
def command(*, once: bool, every: float, idle_seconds: float, batch: int) -> None:
    """Move events to dated parquet files, forget the erased, record which model is current.

    Files stand in RECSVC_ARCHIVE, a folder an issuer, and go to `recsvc-train run --events`. The
    lists of the erased and of deleted interests stand on the shelf, where it reads them.
    """
    settings = read_settings()
    log = open_log(settings.log_level)
    stores = open_stores(settings, log, Metrics())
    program = _Program(stores, settings.archive, settings.shelf, log, idle_seconds, batch)
    try:
        with stop_by_signal() as stop:
            done = program.rounds(stop, every, once=once)
    finally:
        stores.close()
    if once:
        click.echo(orjson.dumps(done))


class _Program:
    """All issuers, round after round."""

    def __init__(
        self,
        stores: Stores,
        archive: Path,
        shelf: Path,
        log: Log,
        idle_seconds: float,
        batch: int,
    ) -> None:
        self._stores = stores
        self._archive = archive
        self._shelf = shelf
        self._log = log
        self._idle_seconds = idle_seconds
        self._batch = batch
        self._store = ArchiveStore(stores.durable, f"{socket.gethostname()}-{os.getpid()}")
        self._sweeper = Sweeper(stores.durable, stores.cache)
        self._audit = AuditLog(stores.writes, stores.deny_list, _now)
        self._metrics = Metrics()
        self._tellings: dict[str, Telling] = {}

    def rounds(self, stop: threading.Event, every: float, *, once: bool) -> dict[str, int]:
        """Rounds until stopped; a store that is away is tried again at the next one."""
        sums = {"archived": 0, "buried": 0, "dropped": 0, "lost": 0, "forgotten": 0, "models": 0}
        repeat(lambda: self._round(sums) == 0, stop, every, once=once, waits=self._waiting)
        return sums

    def _waiting(self, away: StoreAwayError) -> None:
        self._log.warning("archive_waits", store=away.store, reason=away.reason)

    def _round(self, sums: dict[str, int]) -> int:
        moved = 0
        for issuer_id in sorted(self._stores.changes.marks(()).issuers):
            tally = self._archiver(issuer_id).round()
            forgotten = self._forgetting(issuer_id).round()
            self._telling(issuer_id).round()
            self._sweeper.end_serves(issuer_id, _now())
            sums["models"] += PointerRecord(issuer_id, self._audit, self._shelf).round()
            self._witness(issuer_id).round()
            for name in ("archived", "buried", "dropped", "lost"):
                sums[name] += getattr(tally, name)
            sums["forgotten"] += forgotten
            moved += tally.total + self._waits(issuer_id)
        return moved

    def _waits(self, issuer_id: str) -> int:
        """Entries that this very process may take over again at once."""
        return self._store.lag(issuer_id) if self._idle_seconds == 0 else 0

    def _archiver(self, issuer_id: str) -> Archiver:
        return Archiver(
            issuer_id,
            self._store,
            self._archive / issuer_id,
            erased=lambda: self._stores.deny_list.all(issuer_id),
            clock=_now,
            log=self._log,
            metrics=self._metrics,
            idle_seconds=self._idle_seconds,
            batch=self._batch,
        )

    def _forgetting(self, issuer_id: str) -> Forgetting:
        return Forgetting(
            issuer_id,
            self._stores.deny_list,
            self._sweeper,
            self._archive / issuer_id,
            self._shelf / issuer_id,
            _now,
        )

    def _witness(self, issuer_id: str) -> AuditWitness:
        folder = self._shelf / issuer_id
        return AuditWitness(issuer_id, self._audit, folder, self._log, self._metrics)

    def _telling(self, issuer_id: str) -> Telling:
        """The same each round: it knows what it wrote."""
        if issuer_id not in self._tellings:
            store = DeletedInterestStore(self._stores.durable, self._stores.deny_list)
            telling = Telling(issuer_id, store, self._shelf / issuer_id, _now)
            self._tellings[issuer_id] = telling
        return self._tellings[issuer_id]


def _now() -> datetime:
    return datetime.now(UTC)
