"""Everything the stores hold of one cardholder, for him to read and take away."""

from collections.abc import Callable
from typing import Any

import orjson
import redis

from recsvc.domain.lifecycle import CardTransaction, EventRecord, Use
from recsvc.stores.codec import OBJECTS
from recsvc.stores.connection.client import Connection, hash_of
from recsvc.stores.entrance.idempotency import IdempotencyStore
from recsvc.stores.events.codec import (
    dismissals_of,
    every_record_of,
    instants_of,
    uses_by_item,
    words_at,
)
from recsvc.stores.keys.campaigns import CAMPAIGN_ROSTER, CAMPAIGNS
from recsvc.stores.keys.cardholders import CARDHOLDER, UNSETTLED, USES_DUE
from recsvc.stores.keys.pushes import PUSH_LOG, PUSH_OUTBOX, PUSHES_DEAD, PUSHES_WAITING
from recsvc.stores.keys.requests import IDEMPOTENCY
from recsvc.stores.outreach.rosters import rows_in
from recsvc.stores.rights.push_sweeping import dead_of, queued_of, waiting_of
from recsvc.stores.rights.sweeping import Sweeper


class ExportStore:
    """Reads every personal family of the key table; see `EXPORTED`."""

    def __init__(self, durable: Connection, sweeper: Sweeper, replays: IdempotencyStore) -> None:
        self._durable = durable
        self._sweeper = sweeper
        self._replays = replays

    def of(self, issuer_id: str, cardholder_id: str) -> dict[str, Any]:
        """All rows of a cardholder, by the name of the family they stand in."""
        found = {
            family: self._durable.ask_patiently(
                lambda store, read=read: read(store, issuer_id, cardholder_id)  # type: ignore[misc]
            )
            for family, read in EXPORTED.items()
        }
        replays = map(orjson.loads, self._replays.answers_of(issuer_id, cardholder_id))
        streams = self._sweeper.entries_of(issuer_id, cardholder_id)
        return {**found, IDEMPOTENCY.name: list(replays), **streams}


def _own(store: redis.Redis, issuer_id: str, cardholder_id: str) -> dict[str, Any]:
    """His own hash, with its words spelled out."""
    fields = hash_of(store, CARDHOLDER.key(issuer_id, cardholder_id))
    return {
        "profile": orjson.loads(fields.get(b"profile", b"null")),
        "consent": orjson.loads(fields.get(b"consent", b"null")),
        "objects_to_marketing": fields.get(b"objection") == OBJECTS,
        "events": [_plain(record) for record in every_record_of(fields)],
        "dismissed_until": dismissals_of(fields),
        "dismissed_or_taken_at": words_at(fields),
        "served_at": instants_of(fields, b"s:"),
        "deleted_interests": instants_of(fields, b"f:"),
        "uses": {
            item_id: [_plain(use) for use in uses] for item_id, uses in uses_by_item(fields).items()
        },
    }


def _plain(value: EventRecord | Use) -> Any:  # noqa: ANN401 - a JSON value
    """Its fields by name, those of a transaction in it too."""
    return orjson.loads(orjson.dumps(value, default=_by_name))


def _by_name(value: EventRecord | CardTransaction | Use) -> dict[str, Any]:
    return value._asdict()


def _queued(family_key: str) -> Callable[[redis.Redis, str], list[str]]:
    def read(store: redis.Redis, cardholder_id: str) -> list[str]:
        members = (member.decode() for member, _ in store.zscan_iter(family_key))
        return sorted(one for one in members if one.partition("|")[0] == cardholder_id)

    return read


def _unsettled(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[str]:
    return _queued(UNSETTLED.key(issuer_id))(store, cardholder_id)


def _due(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[str]:
    return _queued(USES_DUE.key(issuer_id))(store, cardholder_id)


def _pushes(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[str]:
    found: Any = store.zrange(PUSH_LOG.key(issuer_id, cardholder_id), 0, -1)
    return [member.decode() for member in found]


def _rosters(store: redis.Redis, issuer_id: str, cardholder_id: str) -> list[Any]:
    """Rows of the rosters that he is on."""
    campaigns: Any = store.hkeys(CAMPAIGNS.key(issuer_id))
    rows = []
    for campaign_id in sorted(campaigns):
        own = rows_in(store, CAMPAIGN_ROSTER.key(issuer_id, campaign_id.decode()), cardholder_id)
        rows += [{"campaign_id": campaign_id.decode(), "row": row} for row in own]
    return rows


EXPORTED: dict[str, Callable[[redis.Redis, str, str], Any]] = {
    CARDHOLDER.name: _own,
    UNSETTLED.name: _unsettled,
    USES_DUE.name: _due,
    PUSH_LOG.name: _pushes,
    CAMPAIGN_ROSTER.name: _rosters,
    PUSH_OUTBOX.name: queued_of,
    PUSHES_WAITING.name: waiting_of,
    PUSHES_DEAD.name: dead_of,
}
"""How each family that is no stream tells of one cardholder."""
