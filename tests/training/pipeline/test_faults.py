"""Killed, out of disk, or not alone: the shelf is as it was, and the next run starts clean."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.shelf import TEMPORARY, Shelf
from tests.training.worlds import World, a_world

SMALL = (
    "[gate]\nmin_interactions = 10\nmin_cardholders = 2\n[model]\nn_factors = 8\niterations = 3\n"
)
DEADLINE_SECONDS = 60


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world, its settings, and a folder for temporary files."""
    (tmp_path / "small.toml").write_text(SMALL, "utf-8")
    (tmp_path / "tmp").mkdir()
    return a_world(tmp_path)


def start(world: World, max_file_bytes: int | None = None) -> subprocess.Popen[str]:
    """Start the trainer as a process of its own."""
    config = ["--config", str(world.folder / "small.toml")]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    trainer = subprocess.Popen(
        [sys.executable, "-m", "training", "run", *world.arguments(), *config],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **threads, "TMPDIR": str(world.folder / "tmp")},
    )
    if max_file_bytes is not None:
        resource.prlimit(trainer.pid, resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    return trainer


def shelf_of(world: World) -> Shelf:
    """The world's shelf."""
    return Shelf(world.folder / "shelf", "demo")


def drafts(world: World) -> list[Path]:
    """Folders of publications that are not over."""
    return list((world.folder / "shelf" / "demo" / "versions").glob(f"{TEMPORARY}*"))


def lines_of(trainer: subprocess.Popen[str]) -> Iterator[str]:
    """What it says, line by line."""
    assert trainer.stderr is not None
    yield from trainer.stderr


def kill(trainer: subprocess.Popen[str]) -> None:
    """End it without a word."""
    trainer.send_signal(signal.SIGKILL)
    trainer.communicate(timeout=DEADLINE_SECONDS)
    assert trainer.returncode == -signal.SIGKILL


def finish(trainer: subprocess.Popen[str]) -> str:
    """Wait for its end; what it said on standard error."""
    return trainer.communicate(timeout=DEADLINE_SECONDS)[1]


@pytest.mark.parametrize("stage", ["read usage", "fit"])
def test_f17_a_trainer_killed_at_any_stage_leaves_the_shelf_as_it_was(
    world: World, stage: str
) -> None:
    trainer = start(world)
    assert f"{stage} …\n" in lines_of(trainer)
    kill(trainer)

    assert shelf_of(world).current_version() is None
    assert shelf_of(world).versions() == []
    assert list((world.folder / "tmp").iterdir()) == []


def test_f17_a_draft_of_a_killed_trainer_is_swept_by_the_next(world: World) -> None:
    trainer = start(world)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (draft := drafts(world)):
        assert time.monotonic() < deadline
        assert trainer.poll() is None
    kill(trainer)
    assert draft[0].is_dir()
    assert shelf_of(world).current() is None

    again = start(world)
    said = finish(again)

    assert again.returncode == 0, said
    assert drafts(world) == []
    bundle = shelf_of(world).current()
    assert bundle is not None
    assert [bundle.version] == shelf_of(world).versions()


@pytest.mark.parametrize("max_file_bytes", [4_000, 40_000])
def test_f16_a_full_disk_ends_the_run_and_leaves_no_trace(
    world: World, max_file_bytes: int
) -> None:
    trainer = start(world, max_file_bytes)
    said = finish(trainer)

    assert trainer.returncode == 1
    assert "File too large" in said
    assert "the shelf is as it was" in said
    assert "Traceback" not in said
    assert shelf_of(world).versions() == []
    assert drafts(world) == []
    assert list((world.folder / "tmp").iterdir()) == []


def test_f15_a_trainer_that_is_not_alone_ends_without_a_file(world: World) -> None:
    place = world.folder / "shelf" / "demo"
    (place / "versions").mkdir(parents=True)
    with (place / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        loser = start(world)
        said = finish(loser)

    assert loser.returncode == 1
    assert "another publication holds the shelf" in said
    assert list((place / "versions").iterdir()) == []


def test_f15_two_trainers_at_once_leave_whole_bundles_only(world: World) -> None:
    both = [start(world), start(world)]
    said = [finish(trainer) for trainer in both]

    won = sum(trainer.returncode == 0 for trainer in both)
    assert won >= 1, said
    assert all(trainer.returncode in (0, 1) for trainer in both), said
    shelf = shelf_of(world)
    assert len([shelf.open(version) for version in shelf.versions()]) == won
    assert shelf.current_version() == shelf.versions()[-1]
    assert drafts(world) == []
