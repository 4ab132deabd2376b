"""The audit log holds every move of the shelf's pointer, once, whoever moved it."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from embeddings.shelf import Shelf
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.workers.pointer_record import PointerRecord
from tests.bundles import publish
from tests.service import run_command

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
Move = tuple[str | None, str, str]


@pytest.fixture
def audit(stores: Stores) -> AuditLog:
    """The audit log of the service."""
    return AuditLog(stores.writes, stores.deny_list, lambda: NOW)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """The issuer's shelf, empty."""
    return Shelf(tmp_path, "demo")


def moves(audit: AuditLog) -> list[Move]:
    """What the log holds of the pointer, oldest first; its chain must hold."""
    assert audit.verify("demo").broken_seq is None
    told: list[dict[str, Any]] = [e.document() for e in audit.page("demo", after=0, limit=500)]
    details = [one["detail"] for one in told if one["action"] == "model_current"]
    assert {one["actor"] for one in told if one["action"] == "model_current"} <= {"shelf"}
    return [(one["before"], one["version"], one["how"]) for one in details]


def test_publications_promotions_and_rollbacks_are_told_with_the_version_before(
    audit: AuditLog, shelf: Shelf, tmp_path: Path
) -> None:
    record = PointerRecord("demo", audit, tmp_path)
    assert record.round() == 0
    a = publish(shelf).version
    assert record.round() == 1
    b, c = publish(shelf).version, publish(shelf).version
    assert record.round() == 2
    shelf.rollback()
    assert record.round() == 1
    shelf.promote(c)
    assert (record.round(), record.round()) == (1, 0)

    assert moves(audit) == [
        (None, a, "forward"),
        (a, b, "forward"),
        (b, c, "forward"),
        (c, b, "back"),
        (b, c, "forward"),
    ]


def test_many_archivers_tell_of_each_move_once(
    audit: AuditLog, shelf: Shelf, tmp_path: Path
) -> None:
    publish(shelf)
    PointerRecord("demo", audit, tmp_path).round()
    versions = [publish(shelf).version for _ in range(6)]
    with ThreadPoolExecutor(8) as pool:
        written = list(
            pool.map(lambda _: PointerRecord("demo", audit, tmp_path).round(), range(32))
        )

    assert sum(written) == 6
    assert [version for _, version, _ in moves(audit)[1:]] == versions


def test_an_entry_from_elsewhere_in_between_breaks_no_chain(
    audit: AuditLog, shelf: Shelf, tmp_path: Path
) -> None:
    record = PointerRecord("demo", audit, tmp_path)

    def both(number: int) -> None:
        audit.append("demo", actor="cli", action="other", detail={"number": number})
        record.round()

    versions = [publish(shelf).version for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(both, range(12)))

    assert moves(audit) == [(None, versions[-1], "forward")]
    assert audit.verify("demo").entries == 13


def test_the_archiver_s_round_tells_of_it(
    stores: Stores,
    audit: AuditLog,
    shelf: Shelf,
    tmp_path: Path,
    store_url: str,
    clean_environment: dict[str, str],
) -> None:
    stores.api_keys.create("demo", ("rec:read",), now=NOW)
    version = publish(shelf).version

    def archive() -> subprocess.CompletedProcess[str]:
        return run_command(
            ["worker", "archive", "--once"],
            clean_environment,
            redis_url=store_url,
            archive=str(tmp_path / "archive"),
            shelf=str(tmp_path),
            store_timeout_ms="2000",
        )

    first, again = archive(), archive()

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert orjson.loads(first.stdout)["models"] == 1
    assert orjson.loads(again.stdout)["models"] == 0
    assert moves(audit) == [(None, version, "forward")]
