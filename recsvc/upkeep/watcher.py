"""Threads in each worker that notice what changed outside and bring it in."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsvc.logs import Log
from recsvc.metrics import Metrics

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """Something to look after again and again.

    Parameters
    ----------
    name : word for the log
    every_seconds : pause between two looks
    look : does it; may raise anything
    """

    name: str
    every_seconds: float
    look: Callable[[], None]


class Watcher:
    """Runs rounds until it is stopped; a failure is told once and never ends it.

    Parameters
    ----------
    rounds : what to look after
    log, metrics : where failures are told
    chance : spreads the looks of many workers
    name : of its thread
    """

    def __init__(
        self,
        rounds: Sequence[Round],
        log: Log,
        metrics: Metrics,
        chance: random.Random | None = None,
        name: str = "watcher",
    ) -> None:
        self._rounds = tuple(rounds)
        self._log = log
        self._metrics = metrics
        self._chance = chance or random.Random()  # noqa: S311 - jitter is no secret
        self._due = {one.name: 0.0 for one in self._rounds}
        self._failing: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Look once at everything, so that what is there is known, then go on in a thread."""
        self._look_at_due()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._pause()):
            self._look_at_due()

    def _pause(self) -> float:
        return max(0.0, min(self._due.values()) - time.monotonic())

    def _look_at_due(self) -> None:
        for one in self._rounds:
            if time.monotonic() >= self._due[one.name]:
                self._look(one)
                spread = 1 + JITTER * (self._chance.random() - 0.5)
                self._due[one.name] = time.monotonic() + one.every_seconds * spread

    def _look(self, one: Round) -> None:
        try:
            one.look()
        except Exception as error:  # noqa: BLE001 - the next look may succeed; the thread must live
            self._metrics.happened(f"watch_{one.name}_failed")
            self._tell_once(one.name, type(error).__name__, str(error))
        else:
            if self._failing.pop(one.name, None):
                self._log.info("watch_recovered", round=one.name)

    def _tell_once(self, name: str, kind: str, reason: str) -> None:
        if self._failing.get(name) != reason:
            self._failing[name] = reason
            self._log.warning("watch_failed", round=name, kind=kind, reason=reason)
