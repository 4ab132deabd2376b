"""How a worker is asked to stop: at the end of its round, never in the middle."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
