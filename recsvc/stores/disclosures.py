"""What was answered about audiences before, so that no later answer tells them apart."""

from datetime import datetime
from typing import Any

import numpy as np
import orjson

from recsvc.domain.audience.disclosure import Answer, Disclosed, Sketch, Withheld
from recsvc.domain.eligibility.moment import microseconds
from recsvc.stores.client import Connection
from recsvc.stores.keys import AUDIENCE_ANSWERS

MOST_KEPT = 500


class DisclosureStore:
    """Sketches and answers, by what was counted."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def earlier(self, issuer_id: str, now: datetime) -> dict[str, list[Disclosed]]:
        """Answers of the last thirty days to each kind of count, oldest first."""
        since = microseconds(now) // 1000 - 1000 * (AUDIENCE_ANSWERS.ttl_seconds or 0)
        name = AUDIENCE_ANSWERS.key(issuer_id)
        entries: Any = self._durable.ask_patiently(
            lambda store: store.xrange(name, min=f"{max(since, 0)}-0")
        )
        found: dict[str, list[Disclosed]] = {}
        for _, fields in entries:
            for label, answer in orjson.loads(fields[b"answers"]).items():
                sketch = np.frombuffer(fields[b"s:" + label.encode()], np.int32)
                found.setdefault(label, []).append(Disclosed(sketch, _answer(answer)))
        return found

    def keep(self, issuer_id: str, answers: dict[str, tuple[Sketch, Answer]]) -> None:
        """Remember what was answered to one question."""
        fields: dict[Any, Any] = {
            "answers": orjson.dumps({label: answer for label, (_, answer) in answers.items()})
        }
        for label, (sketch, _) in answers.items():
            fields[f"s:{label}"] = sketch.astype(np.int32).tobytes()
        name = AUDIENCE_ANSWERS.key(issuer_id)
        self._durable.ask(
            lambda store: store.xadd(name, fields, maxlen=MOST_KEPT, approximate=False)
        )


def _answer(told: int | str) -> Answer:
    return told if isinstance(told, int) else Withheld(told)
