"""A circuit breaker: a dependency that keeps failing is left alone for a while."""

import threading
from collections import deque
from collections.abc import Callable

FAILURES = 5
WINDOW_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class Breaker:
    """Closed, open, or letting one probe through.

    Five failures within ten seconds open it for five seconds; each probe that fails doubles the
    pause, to at most a minute; a success closes it.

    Parameters
    ----------
    monotonic : a clock that never jumps, in seconds
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failed_at: deque[float] = deque(maxlen=FAILURES)
        self._open_until: float | None = None
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._probing = False

    def allows(self) -> bool:
        """Whether a call may be made now; a True in the open state is the one probe."""
        if self._open_until is None:
            return True
        with self._lock:
            if self._open_until is None:
                return True
            if self._probing or self._monotonic() < self._open_until:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """Tell that a call was answered."""
        if self._open_until is None and not self._failed_at:
            return
        with self._lock:
            self._failed_at.clear()
            self._open_until = None
            self._pause_seconds = FIRST_PAUSE_SECONDS
            self._probing = False

    def failed(self) -> None:
        """Tell that a call was not answered."""
        with self._lock:
            now = self._monotonic()
            self._failed_at.append(now)
            if self._probing:
                self._probing = False
                self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
                self._open_until = now + self._pause_seconds
            elif self._open_until is None and self._has_tripped(now):
                self._open_until = now + self._pause_seconds

    def gave_up(self) -> None:
        """Tell that the caller had no time left, which tells nothing: the next call may probe."""
        with self._lock:
            self._probing = False

    def _has_tripped(self, now: float) -> bool:
        full = len(self._failed_at) == FAILURES
        return full and now - self._failed_at[0] <= WINDOW_SECONDS
