"""An audit log that is gone, or was begun anew, is missed by what was noted of it on the shelf."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.audit_chain import Seen
from recsvc.stores.entrance.audit_note import FILE_NAME, NoteError, read_note
from recsvc.stores.keys.access import AUDIT
from recsvc.workers.audit_witness import AuditWitness
from tests.service import a_server, run_command

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def audit(stores: Stores) -> AuditLog:
    """The audit log of the service."""
    return AuditLog(stores.writes, stores.deny_list, lambda: NOW)


@pytest.fixture
def witness(audit: AuditLog, tmp_path: Path, log: Log) -> AuditWitness:
    return AuditWitness("demo", audit, tmp_path / "demo", log, Metrics())


@pytest.fixture
def run(tmp_path: Path, store_url: str, clean_environment: dict[str, str]) -> Run:
    """A command of the operator, on this test's store and shelf."""

    def called(*arguments: str) -> subprocess.CompletedProcess[str]:
        places = {"archive": str(tmp_path / "archive"), "shelf": str(tmp_path)}
        return run_command(list(arguments), clean_environment, redis_url=store_url, **places)

    return called


def fill(audit: AuditLog, count: int, who: str = "k") -> None:
    for n in range(count):
        audit.append("demo", actor=who, action="published", detail={"n": n})


def forget_all(stores: Stores) -> None:
    stores.durable.ask(lambda store: store.delete(AUDIT.key("demo")))


def test_the_note_follows_the_log_and_is_written_when_it_moved_only(
    audit: AuditLog, witness: AuditWitness, tmp_path: Path
) -> None:
    assert (witness.round(), read_note(tmp_path / "demo")) == (False, None)
    fill(audit, 3)
    assert (witness.round(), witness.round()) == (True, False)
    fill(audit, 2)
    assert witness.round()

    last = audit.page("demo", after=4, limit=1)[0]
    assert read_note(tmp_path / "demo") == Seen(5, last.digest) == audit.seen("demo")
    assert audit.verify("demo", read_note(tmp_path / "demo")).broken_seq is None


@pytest.mark.parametrize(
    ("anew", "found"),
    [(0, (1, "missing_at_end")), (2, (3, "missing_at_end")), (4, (4, "begun_anew"))],
)
def test_P54_a_log_that_was_deleted_whole_does_not_hold_however_it_goes_on(
    stores: Stores, witness: AuditWitness, log_lines: Any, anew: int, found: tuple[int, str]
) -> None:
    audit = witness.audit
    fill(audit, 4)
    witness.round()
    before = read_note(witness.shelf)
    forget_all(stores)
    fill(audit, anew, "another")

    assert audit.verify("demo").broken_seq is None  # the store alone cannot tell
    verdict = audit.verify("demo", before)
    assert (verdict.broken_seq, verdict.reason) == found
    assert (witness.round(), read_note(witness.shelf)) == (False, before)
    assert "audit_log_differs" in log_lines.getvalue()


def test_P54_the_commands_note_and_miss_a_log(stores: Stores, run: Run) -> None:
    stores.api_keys.create("demo", ("rec:read",), now=NOW)
    fill(AuditLog(stores.writes, stores.deny_list, lambda: NOW), 3)
    verify = ("audit", "verify", "--issuer", "demo")
    unnoted = run(*verify)
    archived = run("worker", "archive", "--once")
    noted, as_json = run(*verify), orjson.loads(run(*verify, "--json").stdout)
    forget_all(stores)
    gone = run(*verify)

    assert archived.returncode == 0, archived.stderr
    assert "nothing was noted of it on the shelf" in unnoted.stdout
    assert "3 entries hold" in noted.stdout
    assert "entry 3 is as it was noted" in noted.stdout
    assert (as_json["holds"], as_json["witnessed"]) == (True, 3)
    assert gone.returncode == 1
    assert "entry 1: missing_at_end" in gone.stderr


def test_P54_the_service_misses_a_log_that_is_gone_and_tells_what_the_command_tells(
    stores: Stores, run: Run, store_url: str, tmp_path: Path
) -> None:
    _, key = stores.api_keys.create("demo", ("audit:read",), now=NOW)
    fill(AuditLog(stores.writes, stores.deny_list, lambda: NOW), 3)
    command = ("audit", "verify", "--issuer", "demo", "--json")
    with a_server(
        tmp_path, store_url, environment={"RECSVC_SHELF": str(tmp_path)}, workers=1
    ) as server:

        def told() -> list[dict[str, Any]]:
            answer = server.ask("GET", "/v1/audit:verify", key=key)
            assert answer.status == 200, answer.body
            return [answer.json, orjson.loads(run(*command).stdout)]

        unnoted = told()
        run("worker", "archive", "--once")
        noted = told()
        forget_all(stores)
        gone = told()
        (tmp_path / "demo" / FILE_NAME).write_bytes(b"{}")
        unreadable = server.ask("GET", "/v1/audit:verify", key=key)

    def of(service: dict[str, Any], by_command: dict[str, Any]) -> tuple[Any, ...]:
        assert service == by_command
        return tuple(service[name] for name in ("holds", "entries", "reason", "witnessed"))

    assert of(*unnoted) == (True, 3, None, None)
    assert of(*noted) == (True, 3, None, 3)
    assert of(*gone) == (False, 0, "missing_at_end", 3)
    assert (unreadable.status, unreadable.json["code"]) == (409, "witness_unreadable")
    assert str(tmp_path) not in unreadable.body.decode()


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b'{"format": 2, "seq": 1, "hash": "x"}', b'{"format": 1, "seq": "1"}'],
)
def test_a_note_that_cannot_be_read_is_named_and_never_written_over(
    witness: AuditWitness, text: bytes
) -> None:
    path = witness.shelf / FILE_NAME
    path.parent.mkdir()
    path.write_bytes(text)
    fill(witness.audit, 1)

    with pytest.raises(NoteError, match=FILE_NAME):
        read_note(path.parent)
    assert (witness.round(), path.read_bytes()) == (False, text)


def test_the_command_names_a_note_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "demo" / FILE_NAME
    path.parent.mkdir()
    path.write_bytes(b"{}")
    told = run("audit", "verify", "--issuer", "demo")

    assert told.returncode == 1
    assert f"{path}: is no note of an audit log" in told.stderr
