"""The watcher goes on whatever its rounds do."""

import io
import json
import random
import threading

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.upkeep.watcher import Round, Watcher
from tests.service import until


def events(lines: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in lines.getvalue().splitlines()]


def test_the_first_look_is_done_when_start_returns(log: Log, metrics: Metrics) -> None:
    seen = []
    watcher = Watcher([Round("r", 60, lambda: seen.append(1))], log, metrics)
    watcher.start()
    watcher.stop()

    assert seen == [1]


def test_a_failing_round_is_told_once_counted_each_time_and_stops_nothing(
    log: Log, log_lines: io.StringIO, metrics: Metrics
) -> None:
    healthy = threading.Semaphore(0)
    is_broken = threading.Event()
    is_broken.set()

    def sometimes() -> None:
        if is_broken.is_set():
            raise OSError("disk is gone")

    rounds = [Round("bad", 0.01, sometimes), Round("good", 0.01, healthy.release)]
    watcher = Watcher(rounds, log, metrics, random.Random(1))
    watcher.start()
    for _ in range(10):
        assert healthy.acquire(timeout=10)
    is_broken.clear()
    until(lambda: "watch_recovered" in events(log_lines))
    watcher.stop()

    assert events(log_lines) == ["watch_failed", "watch_recovered"]
    count = next(
        line
        for line in metrics.exposition().decode().splitlines()
        if "watch_bad_failed" in line and "total" in line
    )
    assert float(count.split()[-1]) >= 2


def test_stop_ends_the_thread(log: Log, metrics: Metrics) -> None:
    before = threading.active_count()
    watcher = Watcher([Round("r", 0.01, lambda: None)], log, metrics)
    watcher.start()
    watcher.stop()

    assert threading.active_count() == before
