"""How often a credential may be used, and whether it looks for what it does not know.

Each worker counts for itself and allows its share of a rate: no round trip on the path of a
request, no store that could be away. Connections are spread over workers by the kernel, so a rate
is kept closely for a caller with several connections and strictly for all together.
"""

import math
import threading
from collections.abc import Callable, Mapping
from typing import Self

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import Settings

PERIOD_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
MOST_COUNTED = 20_000
PROBES_A_MINUTE = 100


class Window:
    """Counts uses by name over a sliding window, in the way of two neighbouring fixed ones.

    The use of the window before counts as far as it still overlaps; at an even pace this is exact.

    Parameters
    ----------
    most : uses allowed in a window
    seconds : length of a window
    monotonic : a clock that never jumps, in seconds
    """

    def __init__(self, most: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self.most = most
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, int, int]] = {}

    def use(self, name: str) -> float:
        """Count one use: 0.0 when it is allowed, else seconds after which to try again."""
        place, into = divmod(self._monotonic() / self._seconds, 1.0)
        with self._lock:
            number, now, before = self._counts.get(name, (int(place), 0, 0))
            if number != int(place):
                now, before = 0, (now if number == int(place) - 1 else 0)
            if now + before * (1.0 - into) >= self.most:
                self._counts[name] = (int(place), now, before)
                return (1.0 - into) * self._seconds
            if len(self._counts) >= MOST_COUNTED and name not in self._counts:
                self._forget(int(place))
            self._counts[name] = (int(place), now + 1, before)
        return 0.0

    def _forget(self, place: int) -> None:
        """Drop who was not seen in this window; all when that frees nothing."""
        kept = {name: count for name, count in self._counts.items() if count[0] == place}
        self._counts = kept if len(kept) < MOST_COUNTED else {}


class RateLimits:
    """The rate of each scope.

    Parameters
    ----------
    windows : by scope
    """

    def __init__(self, windows: Mapping[str, Window]) -> None:
        self._windows = dict(windows)

    @classmethod
    def of(cls, settings: Settings, monotonic: Callable[[], float]) -> Self:
        """One worker's share of the rates of the settings, at least one use a period."""
        windows = {}
        for scope, rate in settings.rate_limits:
            number, _, period = rate.partition("/")
            share = math.ceil(int(number) / settings.workers)
            windows[scope] = Window(share, PERIOD_SECONDS[period], monotonic)
        return cls(windows)

    def wait_of(self, credential_id: str, scope: str) -> int:
        """Whole seconds that a credential must wait before it may use a scope; 0 when it may now.

        A scope without a rate is free.
        """
        window = self._windows.get(scope)
        if window is None:
            return 0
        wait = window.use(credential_id)
        return math.ceil(wait) if wait > 0 else 0


class ProbeWatch:
    """Tells when a credential asks again and again for what is not there or not its own.

    Parameters
    ----------
    log, metrics : where it is told, once a minute and credential at most
    monotonic : a clock that never jumps, in seconds
    """

    def __init__(self, log: Log, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._log = log
        self._metrics = metrics
        self._misses = Window(PROBES_A_MINUTE, 60.0, monotonic)
        self._told = Window(1, 60.0, monotonic)

    def missed(self, credential_id: str) -> None:
        """Count one answer that there is no such thing, or that it is not his to ask."""
        if self._misses.use(credential_id) > 0 and self._told.use(credential_id) == 0:
            self._metrics.happened("enumeration_suspected")
            self._log.warning("enumeration_suspected", credential_id=credential_id)
