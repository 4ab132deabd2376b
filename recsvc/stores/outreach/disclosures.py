"""What was answered about audiences before, so that no later answer tells them apart."""

import zlib
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from recsvc.domain.audience.disclosure import Answer, Disclosed, Sketch, Withheld
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.campaigns import AUDIENCE_ANSWERS

MOST_KEPT = 1_000
"""Different audiences of an issuer that are answered within thirty days."""


class DisclosureStore:
    """Sketches and answers, by what was counted.

    Parameters
    ----------
    most_kept : answers beyond which no other audience is told until old ones end
    """

    def __init__(self, durable: Connection, *, most_kept: int = MOST_KEPT) -> None:
        self._durable = durable
        self._most_kept = most_kept

    def earlier(self, issuer_id: str, now: datetime) -> dict[str, list[Disclosed]]:
        """Answers of the last thirty days to each kind of count, oldest first."""
        name, oldest = AUDIENCE_ANSWERS.key(issuer_id), _oldest(now)
        entries: Any = self._durable.ask_patiently(lambda store: store.xrange(name, min=oldest))
        found: dict[str, list[Disclosed]] = {}
        for _, fields in entries:
            for label, answer in orjson.loads(fields[b"answers"]).items():
                sketch = _sketch(fields[b"s:" + label.encode()])
                found.setdefault(label, []).append(Disclosed(sketch, _answer(answer)))
        return found

    def has_room(self, issuer_id: str, now: datetime) -> bool:
        """Whether one more answer can be remembered; old ones end here."""
        name, oldest = AUDIENCE_ANSWERS.key(issuer_id), _oldest(now)

        def look(store: Any) -> int:  # noqa: ANN401 - the client library's
            store.xtrim(name, minid=oldest, approximate=False)
            return int(store.xlen(name))

        return self._durable.ask_patiently(look) < self._most_kept

    def keep(self, issuer_id: str, answers: dict[str, tuple[Sketch, Answer]]) -> None:
        """Remember what was answered to one question."""
        fields: dict[Any, Any] = {
            "answers": orjson.dumps({label: answer for label, (_, answer) in answers.items()})
        }
        for label, (sketch, _) in answers.items():
            fields[f"s:{label}"] = zlib.compress(sketch.astype(np.int32).tobytes(), 1)
        name = AUDIENCE_ANSWERS.key(issuer_id)
        self._durable.ask(lambda store: store.xadd(name, fields))


def _oldest(now: datetime) -> str:
    since = microseconds(now) // 1000 - 1000 * (AUDIENCE_ANSWERS.ttl_seconds or 0)
    return f"{max(since, 0)}-0"


def _sketch(stored: bytes) -> Sketch:
    return np.frombuffer(zlib.decompress(stored), np.int32)


def _answer(told: int | str) -> Answer:
    return told if isinstance(told, int) else Withheld(told)
