"""What a stranger may expect of the checkout."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "deploy" / "locks").glob("*.txt"))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_wheel_has_a_version_and_a_hash(lock: Path) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text())

    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_no_lock_document_or_config_names_a_host_of_packages() -> None:
    hosts = re.compile(rb"https?://[^\s\"']*(/simple|/packages/|registry\.|pypi\.)")

    found = [str(p) for p in tracked() if p.is_file() and hosts.search(p.read_bytes())]

    assert found == []


def test_nothing_large_is_tracked() -> None:
    large = [str(p) for p in tracked() if p.is_file() and p.stat().st_size > 400_000]

    assert large == []


@pytest.mark.parametrize("lock", ["serve", "worker"])
def test_serving_locks_no_trainer(lock: str) -> None:
    names = set(
        re.findall(r"^([A-Za-z0-9._-]+)==", (LOCKS[0].parent / f"{lock}.txt").read_text(), re.M)
    )

    assert names.isdisjoint({"implicit", "scipy", "polars", "pandas", "scikit-learn", "pytest"})
    assert {"flask", "gunicorn", "redis", "faiss-cpu", "numpy"} <= names
