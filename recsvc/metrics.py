"""Counters of the service; a failing counter never hurts an answer."""

import contextlib
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

BUCKETS_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
NO_ISSUER = "none"


class Metrics:
    """All counters, each with labels from closed sets only.

    Parameters
    ----------
    folder : where worker processes share their values; None keeps them in this process
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "recsvc_requests",
            "Requests answered",
            ("route", "method", "status", "issuer"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "recsvc_request_seconds",
            "Time from first byte parsed to answer ready",
            ("route",),
            buckets=BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._events = Counter(
            "recsvc_happenings",
            "Things worth an alert, by their word in the log",
            ("event",),
            registry=self._registry,
        )
        self._degraded = Counter(
            "recsvc_degraded_answers",
            "Answers that lacked something, by what they lacked",
            ("lacking",),
            registry=self._registry,
        )
        self._refusals = Counter(
            "recsvc_item_refusals",
            "Items refused to a cardholder, by reason",
            ("reason",),
            registry=self._registry,
        )
        self._models = Gauge(
            "recsvc_model_info",
            "1 for the model version a worker serves",
            ("issuer", "version"),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._stale = Gauge(
            "recsvc_model_stale",
            "1 while the published bundle could not be opened and an older one serves",
            ("issuer",),
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._catalog = Gauge(
            "recsvc_catalog_version",
            "Catalogue version a worker serves",
            ("issuer",),
            registry=self._registry,
            multiprocess_mode="livemin",
        )
        self._children: dict[tuple[str, str, int, str | None], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def request(
        self, route: str, method: str, status: int, issuer_id: str | None, seconds: float
    ) -> None:
        """Count one answered request; `issuer_id` only when a credential proved it."""
        try:  # for every request, and there half the price of `suppress`
            self._count_request(route, method, status, issuer_id, seconds)
        except Exception:  # noqa: BLE001 - as the module says
            return

    def _count_request(
        self, route: str, method: str, status: int, issuer_id: str | None, seconds: float
    ) -> None:
        known = (route, method, status, issuer_id)
        child = self._children.get(known)
        if child is None:
            labels = (route, method, str(status), issuer_id or NO_ISSUER)
            child = self._children[known] = self._requests.labels(*labels)
        child.inc()
        timer = self._timers.get(route)
        if timer is None:
            timer = self._timers[route] = self._seconds.labels(route)
        timer.observe(seconds)

    def happened(self, event: str, times: int = 1) -> None:
        """Count a happening, named as in the log."""
        self._safely(lambda: self._events.labels(event).inc(times))

    def degraded(self, lacking: str) -> None:
        """Count one answer that lacked this."""
        self._safely(lambda: self._degraded.labels(lacking).inc())

    def refused(self, reason: str) -> None:
        """Count an item refused for this reason."""
        self._safely(lambda: self._refusals.labels(reason).inc())

    def model(self, issuer_id: str, version: str, previous: str | None) -> None:
        """Say which model this worker now serves for an issuer."""
        if previous is not None and previous != version:
            self._safely(lambda: self._models.labels(issuer_id, previous).set(0))
        self._safely(lambda: self._models.labels(issuer_id, version).set(1))

    def stale(self, issuer_id: str, *, stale: bool) -> None:
        """Say whether the published bundle of an issuer could not be opened."""
        self._safely(lambda: self._stale.labels(issuer_id).set(int(stale)))

    def catalog(self, issuer_id: str, version: int) -> None:
        """Say which catalogue version this worker serves for an issuer."""
        self._safely(lambda: self._catalog.labels(issuer_id).set(version))

    def exposition(self) -> bytes:
        """All counters of all workers in the Prometheus text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    @staticmethod
    def _safely(count: Callable[[], None]) -> None:
        with contextlib.suppress(Exception):
            count()
