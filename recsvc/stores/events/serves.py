"""What was served, for attribution: written behind the answer, never in its way."""

import threading
from collections import deque

import orjson
import redis

from recsvc.domain.errors import StoreAwayError
from recsvc.domain.question import Answer
from recsvc.metrics import Metrics
from recsvc.stores.connection.client import Connection, tell_together
from recsvc.stores.keys.requests import SERVES

MOST_WAITING = 10_000
MOST_A_FLUSH = 500
MOST_KEPT = 1_000_000
FLUSH_SECONDS = 0.25


class ServeLog:
    """A bounded queue and a thread that empties it into one stream an issuer.

    What does not fit, or cannot be written, is dropped and counted.
    """

    def __init__(self, cache: Connection, metrics: Metrics) -> None:
        self._cache = cache
        self._metrics = metrics
        self._waiting: deque[Answer] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serve-log", daemon=True)

    def start(self) -> None:
        """Begin to write; belongs after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def record(self, answer: Answer) -> None:
        """Remember a list; never waits and never fails."""
        if len(self._waiting) >= MOST_WAITING:
            self._metrics.happened("serve_dropped")
            return
        self._waiting.append(answer)

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write everything that waits now."""
        while self._waiting:
            count = min(len(self._waiting), MOST_A_FLUSH)
            batch = [self._waiting.popleft() for _ in range(count)]
            try:
                self._cache.ask_patiently(lambda store, batch=batch: _append(store, batch))  # type: ignore[misc]
            except StoreAwayError:
                self._metrics.happened("serve_dropped")


def _append(store: redis.Redis, batch: list[Answer]) -> None:
    keys = {answer.issuer_id: SERVES.key(answer.issuer_id) for answer in batch}
    limit = ("MAXLEN", "~", MOST_KEPT)
    tell_together(
        store,
        [
            *(("XADD", keys[a.issuer_id], *limit, "*", "serve", _encode(a)) for a in batch),
            *(("EXPIRE", key, SERVES.ttl_seconds or 0) for key in keys.values()),
        ],
    )


def _encode(answer: Answer) -> bytes:
    return orjson.dumps(
        {
            "request_id": answer.request_id,
            "cardholder_id": answer.cardholder_id,
            "personalised": answer.personalised,
            "model_version": answer.model_version,
            "catalog_version": answer.catalog_version,
            "ranking": answer.ranking,
            "experiment": answer.experiment,
            "items": [
                [place.item.item_id, place.source, place.score, place.propensity]
                for place in answer.items
            ],
        }
    )
