"""What very many cardholders did lately, read in bulk for the review of a campaign."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis

from recsvc.domain.lifecycle import EventRecord, Use
from recsvc.stores.connection.client import Connection
from recsvc.stores.events.codec import KEPT_EVENTS, instants_of, records_of, uses_by_item
from recsvc.stores.keys.cardholders import CARDHOLDER

BATCH = 500


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One cardholder's recent events, uses of items, and when each was last shown to him.

    Parameters
    ----------
    is_full : as many events as are kept of anyone, so that older ones may have gone
    """

    cardholder_id: str
    records: tuple[EventRecord, ...]
    uses: Mapping[str, tuple[Use, ...]]
    shown_at: Mapping[str, datetime]
    is_full: bool = False

    def is_cut_short(self, since: datetime) -> bool:
        """Whether all that is remembered is from an instant on, so that more of it may be gone."""
        return self.is_full and all(record.occurred_at >= since for record in self.records)


class BehaviourStore:
    """Reads behaviours; hundreds in one round trip."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def read(self, issuer_id: str, cardholder_ids: Sequence[str]) -> Iterator[Behaviour]:
        """Behaviours in the order asked."""
        for start in range(0, len(cardholder_ids), BATCH):
            ids = cardholder_ids[start : start + BATCH]
            for cardholder_id, fields in zip(ids, self._batch(issuer_id, ids), strict=True):
                records = tuple(records_of(fields))
                yield Behaviour(
                    cardholder_id,
                    records,
                    uses_by_item(fields),
                    instants_of(fields, b"s:"),
                    is_full=len(records) >= KEPT_EVENTS,
                )

    def _batch(self, issuer_id: str, cardholder_ids: Sequence[str]) -> list[dict[bytes, bytes]]:
        keys = [CARDHOLDER.key(issuer_id, one) for one in cardholder_ids]

        def read(store: redis.Redis) -> list[Any]:
            pipeline = store.pipeline(transaction=False)
            for key in keys:
                pipeline.hgetall(key)
            return list(pipeline.execute())

        return self._durable.ask_patiently(read)
