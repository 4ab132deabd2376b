"""Archived days end when the operator says for how long they are kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recsvc.stores.assembly import Stores
from recsvc.workers.archive_days import end_days
from tests.service import run_command

NOW = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def a_file(folder: Path, day: str, name: str = "a.parquet") -> Path:
    path = folder / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_P19_only_days_that_are_past_end(tmp_path: Path) -> None:
    old, kept = a_file(tmp_path, "2026-02-28"), a_file(tmp_path, "2026-03-01")
    others = [a_file(tmp_path, day) for day in ("drafts", "2026-02-31", "x2026-01-01")]
    foreign = a_file(tmp_path, "2026-01-01", "notes.txt")

    assert end_days(tmp_path, NOW, 9) == 1
    assert (old.exists(), old.parent.exists(), kept.exists()) == (False, False, True)
    assert all(path.exists() for path in (*others, foreign))
    assert end_days(tmp_path / "nobody", NOW, 9) == 0


@pytest.mark.parametrize(("asked", "left"), [((), 2), (("--archive-days", "400"), 1)])
def test_P19_the_nightly_run_ends_archived_days_only_where_it_is_told_to(
    stores: Stores,
    store_url: str,
    clean_environment: dict[str, str],
    tmp_path: Path,
    asked: tuple[str, ...],
    left: int,
) -> None:
    stores.api_keys.create("demo", ("rec:read",), now=datetime.now(UTC))
    for days in (390, 410):
        a_file(tmp_path / "demo", f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}")
    setting = {"redis_url": store_url, "archive": str(tmp_path)}
    done = run_command(["retention", "run", *asked], clean_environment, **setting)

    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("*.parquet"))) == left
    assert json.loads(done.stdout)["demo"].get("archive_files", 0) == 2 - left
