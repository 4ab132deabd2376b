"""Row 36: what a worker holds stays level, however many bundles it has served."""

import os
from pathlib import Path

import pytest

from tests.benchmarks.level import Level, Sample
from tests.benchmarks.serving_world import Size
from tests.benchmarks.soak import soak

SMALL = Size(cardholders=4_000, merchants=600, items=600, cells_each=10)
MEBIBYTE = 1024 * 1024


def test_F36_memory_and_descriptors_stay_level_over_a_dozen_bundles_under_load() -> None:
    found = soak(minutes=0.4, bundle_seconds=2.0, size=SMALL, shelf_poll_seconds=0.5)

    assert (found["failures"], found["workers_lost"]) == (0, 0)
    assert found["bundles"] == 12
    assert found["requests"] > 100
    assert found["events_accepted"] > 100
    assert found["versions_held"] <= 3  # the one that serves, the one before, one that is opened
    assert found["descriptors_grown"] <= 2
    assert found["own_bytes_per_bundle"] < MEBIBYTE


def samples(pid: int, own: list[int], descriptors: list[int]) -> list[Sample]:
    pairs = zip(own, descriptors, strict=True)
    return [
        Sample(pid, float(at), o * MEBIBYTE, o * MEBIBYTE, d, 1) for at, (o, d) in enumerate(pairs)
    ]


def test_F36_a_leak_is_told_from_a_pool_that_fills_by_the_worst_worker() -> None:
    fills = samples(1, [10, 30, 50, *[60] * 6], [5, 8, 9, *[10] * 6])
    leaks = samples(2, [*[10] * 3, *range(10, 22, 2)], [*[5] * 6, 9, 9, 9])

    assert Level.of(fills) == Level(0.0, 0.0, 0.0, 1)
    found = Level.of([*fills, *leaks])
    assert found.own_bytes_per_bundle == pytest.approx(2 * MEBIBYTE)
    assert found.descriptors_grown == 4


def test_F36_a_sample_tells_what_this_very_process_holds(tmp_path: Path) -> None:
    before = Sample.of(os.getpid(), 0.0)
    ballast = bytearray(os.urandom(1)) * (32 * MEBIBYTE)
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        after = Sample.of(os.getpid(), 1.0)

    assert after.descriptors == before.descriptors + 2
    assert after.own_bytes - before.own_bytes > 30 * MEBIBYTE
    assert len(ballast) == 32 * MEBIBYTE
