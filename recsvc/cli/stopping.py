"""How a worker is asked to stop: at the end of its round, never in the middle."""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from recsvc.domain.errors import StoreAwayError


@contextmanager
def stop_by_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, so that a round ends whole."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Seconds(click.FloatRange):
    """A number of seconds within a day, as an option; ``least`` is the smallest."""

    def __init__(self, least: float) -> None:
        super().__init__(least, 24 * 60 * 60)

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The number; what is none, and what never ends, is refused."""
        found = float(super().convert(value, param, ctx))
        if math.isnan(found):
            self.fail("is no number of seconds", param, ctx)
        return found


def repeat(
    look: Callable[[], bool],
    stop: threading.Event,
    every: float,
    *,
    once: bool,
    waits: Callable[[StoreAwayError], None],
) -> None:
    """Look again and again until asked to stop, or `once` until there is nothing to do.

    Parameters
    ----------
    look : one look; whether there was nothing to do
    every : seconds to wait after a look that found nothing
    waits : is told of a store that is away, which is asked again at the next look

    Raises
    ------
    StoreAwayError
        of a single run, which does not wait for a store
    """
    while not stop.is_set():
        try:
            idle = look()
        except StoreAwayError as away:
            if once:
                raise
            waits(away)
            idle = True
        if once and idle:
            break
        if idle:
            stop.wait(every)
