"""Every event is in one dated file, once, however the archiver dies."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from embeddings.erasure import FILE_NAME, ErasedList, erased_hash
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.dead_letters import DeadLetterStore
from recsvc.stores.events.archive import GROUP, ArchiveStore
from recsvc.stores.events.batch import Arrival
from recsvc.stores.keys.access import ISSUERS
from recsvc.stores.keys.events import EVENTS, EVENTS_DEAD
from recsvc.workers.archive_files import rows_of, write_rows
from recsvc.workers.archiver import DRAFT_MAX_AGE_SECONDS, DRAFTS, Archiver
from tests.archives import read_rows
from tests.happenings import a_payment
from tests.service import run_command, until

NOW = datetime.now(UTC)


def tell(stores: Stores, *names: str, cardholder_id: str = "ch_1") -> None:
    arrivals = [
        Arrival(
            cardholder_id,
            paid := a_payment(event_id=name),
            paid.occurred_at,
            an_entry(name, cardholder_id),
        )
        for name in names
    ]
    stores.events.take("demo", arrivals, NOW)


def an_entry(event_id: str, cardholder_id: str = "ch_1", **fields: Any) -> bytes:
    return orjson.dumps(
        {
            "event_id": event_id,
            "type": "viewed",
            "cardholder_id": cardholder_id,
            "item_id": "offer_1",
            "occurred_at": "2026-03-04T12:00:00Z",
            "serve_token": None,
            "reason": None,
            "transaction": None,
            **fields,
        }
    )


def put_raw(stores: Stores, entry: bytes) -> None:
    stores.durable.ask(lambda store: store.xadd(EVENTS.key("demo"), {"event": entry}))


def laid_aside(stores: Stores) -> list[dict[bytes, bytes]]:
    """Fields of each dead letter, oldest first."""
    found: Any = stores.durable.ask(lambda store: store.xrange(EVENTS_DEAD.key("demo")))
    return [fields for _, fields in found]


class World:
    """An archive folder and archivers of it."""

    def __init__(self, folder: Path, stores: Stores, log: Log) -> None:
        self.folder = folder
        self.stores = stores
        self._log = log
        self.metrics = Metrics()

    def archiver(self, name: str = "one", idle_seconds: float = 60.0) -> Archiver:
        return Archiver(
            "demo",
            ArchiveStore(self.stores.durable, name),
            self.folder,
            erased=lambda: self.stores.deny_list.all("demo"),
            clock=lambda: NOW,
            log=self._log,
            metrics=self.metrics,
            idle_seconds=idle_seconds,
        )

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.parquet"))

    def event_ids(self) -> list[str]:
        return [row["event_id"] for path in self.files() for row in read_rows(path)]


@pytest.fixture
def world(tmp_path: Path, stores: Stores, log: Log) -> World:
    return World(tmp_path / "archive", stores, log)


def test_events_lie_in_files_of_the_day_they_arrived(world: World) -> None:
    tell(world.stores, "a", "b")
    world.archiver().round()

    (path,) = world.files()
    assert path.parent.name == f"{datetime.now(UTC):%Y-%m-%d}"
    assert [row["event_id"] for row in read_rows(path)] == ["a", "b"]
    assert read_rows(path)[0]["occurred_at"] == datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert world.archiver().round().archived == 0


def test_what_another_reader_took_over_is_his_to_file(world: World) -> None:
    tell(world.stores, "a")
    slow, quick = ArchiveStore(world.stores.durable, "slow"), world.archiver("quick", 0.0)
    slow.open("demo")
    (entry,) = slow.read("demo", 10)
    quick.round()

    assert slow.commit("demo", "late.parquet", [entry.position]) is False
    assert world.event_ids() == ["a"]


def test_a_reader_killed_before_the_commit_leaves_its_entries_to_the_next(world: World) -> None:
    tell(world.stores, "a", "b")
    dead = ArchiveStore(world.stores.durable, "dead")
    dead.open("demo")
    dead.read("demo", 1)
    world.archiver(idle_seconds=0.0).round()

    assert sorted(world.event_ids()) == ["a", "b"]


def test_a_reader_killed_between_commit_and_rename_loses_no_file(world: World) -> None:
    tell(world.stores, "a")
    world.archiver().round()
    (path,) = world.files()
    file = f"{path.parent.name}/{path.name}"
    draft = world.folder / DRAFTS / f"{path.stem}.draft"
    path.rename(draft)
    world.stores.durable.ask(lambda store: store.hset("r1:{demo}:archive_commits", file, ""))
    world.archiver("next").round()

    assert world.event_ids() == ["a"]
    assert ArchiveStore(world.stores.durable, "x").commits("demo") == []


@pytest.mark.parametrize("place", [f"{DRAFTS}/a.draft", "2026-03-04/a.draft"])
def test_a_draft_that_nobody_finishes_is_swept_up_wherever_it_lies(
    world: World, place: str
) -> None:
    draft = world.folder / place
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")
    world.archiver().round()
    assert draft.exists()

    long_ago = time.time() - DRAFT_MAX_AGE_SECONDS - 1
    os.utime(draft, (long_ago, long_ago))
    world.archiver().round()
    assert not draft.exists()


def test_P47_drafts_of_a_killed_archiver_are_looked_through_too(
    store_url: str, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    drafts = tmp_path / "demo" / DRAFTS
    drafts.mkdir(parents=True)
    write_rows(drafts / "whole.draft", [a_row("ch_9"), a_row("ch_8")])
    (drafts / "torn.draft").write_bytes((drafts / "whole.draft").read_bytes()[:-20])
    asked = ["erasure", "find", "--issuer", "demo", "--cardholder", "ch_9"]
    done = run_command(asked, clean_environment, redis_url=store_url, archive=str(tmp_path))

    found = orjson.loads(done.stdout)["archive"]
    assert found == {str(drafts / "torn.draft"): None, str(drafts / "whole.draft"): 1}


def a_row(cardholder_id: str) -> dict[str, Any]:
    """One archived event of a cardholder, the rest left out."""
    return {"event_id": f"e_{cardholder_id}", "cardholder_id": cardholder_id}


def test_F25_a_poison_event_is_buried_after_five_deliveries_and_the_stream_goes_on(
    world: World,
) -> None:
    put_raw(world.stores, b"{not json")
    put_raw(world.stores, an_entry("no time", occurred_at=7))
    tell(world.stores, "good")
    archiver = world.archiver(idle_seconds=0.0)
    rounds = [archiver.round() for _ in range(6)]

    assert sum(tally.buried for tally in rounds) == 2
    assert world.event_ids() == ["good"]
    letters = DeadLetterStore(world.stores.durable).of("demo")
    told = [(one.queue, one.reason, one.count) for one in letters]
    assert told == [("events", "field_of_wrong_type", 1), ("events", "not_json", 1)]
    assert laid_aside(world.stores)[0][b"event"] == b"{not json"
    assert ArchiveStore(world.stores.durable, "x").lag("demo") == 0


def test_F27_a_missing_group_is_made_again_and_a_gap_is_told(world: World, log_lines: Any) -> None:
    tell(world.stores, "a", "b")
    reader = ArchiveStore(world.stores.durable, "dead")
    reader.open("demo")
    reader.read("demo", 2)
    world.stores.durable.ask(lambda store: store.xtrim(EVENTS.key("demo"), maxlen=0))
    tally = world.archiver(idle_seconds=0.0).round()

    assert tally.lost == 2
    assert "archive_gap" in log_lines.getvalue()
    world.stores.durable.ask(lambda store: store.xgroup_destroy(EVENTS.key("demo"), GROUP))
    tell(world.stores, "c")
    world.archiver().round()
    assert world.event_ids() == ["c"]


def test_what_is_not_archived_is_never_trimmed_however_old(world: World) -> None:
    old = int((NOW - timedelta(days=30)).timestamp() * 1000)
    name = EVENTS.key("demo")
    world.stores.durable.ask(
        lambda store: [
            store.xadd(name, {"event": an_entry(f"old{n}")}, id=f"{old + n}-0") for n in range(2)
        ]
    )
    store = ArchiveStore(world.stores.durable, "x")
    store.open("demo")
    store.read("demo", 1)
    store.trim("demo", int(NOW.timestamp() * 1000))

    assert world.stores.durable.ask(lambda server: server.xlen(name)) == 2
    world.archiver(idle_seconds=0.0).round()
    assert world.stores.durable.ask(lambda server: server.xlen(name)) == 1


def test_the_erased_are_not_archived(world: World) -> None:
    key = world.stores.deny_list.key_of("demo")
    tell(world.stores, "a", cardholder_id="gone")
    tell(world.stores, "b")
    world.stores.durable.ask(
        lambda store: store.hset("r1:{demo}:erased", erased_hash(key, "gone"), "{}")
    )
    tally = world.archiver().round()

    assert (tally.archived, tally.dropped) == (1, 1)
    assert world.event_ids() == ["b"]


def a_worker(environ: dict[str, str], store_url: str, folder: Path) -> subprocess.Popen[bytes]:
    options = ["--every", "0.01", "--idle-seconds", "0.5", "--batch", "20"]
    named = {
        "RECSVC_REDIS_URL": store_url,
        "RECSVC_ARCHIVE": str(folder),
        "RECSVC_SHELF": str(folder.parent / "shelf"),
        "RECSVC_LOG_LEVEL": "error",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "recsvc", "worker", "archive", *options], env={**environ, **named}
    )


def test_F26_killed_again_and_again_each_event_is_archived_once(
    tmp_path: Path, stores: Stores, store_url: str, clean_environment: dict[str, str]
) -> None:
    stores.durable.ask(lambda store: store.sadd(ISSUERS.key("*"), "demo"))
    archive = tmp_path / "archive"
    sent = [f"e{n:05d}" for n in range(3000)]
    for start in range(0, 3000, 500):
        tell(stores, *sent[start : start + 500])
    for kill in range(3):
        worker = a_worker(clean_environment, store_url, archive)
        until(lambda kill=kill: len(list(archive.rglob("*.parquet"))) > 4 * (kill + 1))  # type: ignore[misc]
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    worker = a_worker(clean_environment, store_url, archive)
    place = archive / "demo"

    def archived() -> list[str]:
        return [row["event_id"] for path in place.rglob("*.parquet") for row in read_rows(path)]

    until(lambda: len(archived()) >= 3000, 60)
    worker.terminate()
    assert worker.wait(20) == 0
    assert sorted(archived()) == sent


def test_the_command_archives_once_and_forgets_the_erased(
    tmp_path: Path, stores: Stores, store_url: str, clean_environment: dict[str, str]
) -> None:
    stores.durable.ask(lambda store: store.sadd(ISSUERS.key("*"), "demo"))
    archive, shelf = tmp_path / "archive", tmp_path / "shelf"
    setting = {"redis_url": store_url, "archive": str(archive), "shelf": str(shelf)}
    tell(stores, "a", cardholder_id="gone")
    tell(stores, "b")
    first = run_command(["worker", "archive", "--once"], clean_environment, **setting)
    assert first.returncode == 0, first.stderr
    assert orjson.loads(first.stdout)["archived"] == 2

    key = stores.deny_list.key_of("demo")
    stores.durable.ask(lambda store: store.hset("r1:{demo}:erased", erased_hash(key, "gone"), "{}"))
    again = run_command(["worker", "archive", "--once"], clean_environment, **setting)

    assert orjson.loads(again.stdout)["forgotten"] == 1
    rows = [row for path in (archive / "demo").rglob("*.parquet") for row in read_rows(path)]
    assert [row["event_id"] for row in rows] == ["b"]
    assert all(not rows_of(p, "gone") for p in (archive / "demo").rglob("*.parquet"))
    assert ErasedList.read(shelf / "demo" / FILE_NAME).covers("gone")
    assert stores.durable.ask(lambda store: store.xlen(EVENTS.key("demo"))) == 1
