"""A town of cardholders with a model, and campaigns at work on a real store."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from embeddings.catalog import Channel
from embeddings.interactions import EventType
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.cardholder import Consent, Profile
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.model import ModelSlot
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.assembly import Stores
from recsvc.stores.connection.client import Connection
from recsvc.stores.events.batch import Arrival
from recsvc.stores.keys.pushes import PUSH_GATEWAY
from recsvc.workers.dispatcher import Dispatcher
from tests.bundles import checkerboard
from tests.service import Clock, settings
from tests.worlds import a_model, bundle_of

ISSUER = "demo"
NOON = datetime(2026, 2, 4, 4, 0, tzinfo=UTC)
"""A Wednesday, noon in Shanghai."""

ALLOWED = Consent(
    personalisation=True,
    marketing={"push": True},
    purpose_version="v1",
    recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@dataclass(slots=True)
class Town:
    """Cardholders ``ch_0`` to ``ch_n``, all of whom agreed to pushes."""

    stores: Stores
    outreach: Outreach
    clock: Clock
    slot: ModelSlot
    metrics: Metrics
    ids: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, stores: Stores, n: int = 400, **chosen: Any) -> Self:
        """Build the town."""
        clock, slot, metrics = Clock(NOON), ModelSlot(), Metrics()
        slot.swap(a_model(bundle=bundle_of(checkerboard(n))))
        outreach = Outreach.of(settings(**chosen), stores, slot, clock)
        town = cls(stores, outreach, clock, slot, metrics, [f"ch_{i}" for i in range(n)])
        stores.cardholders.put_many(
            ISSUER, [(who, Profile(segments=("all",)), ALLOWED) for who in town.ids]
        )
        return town

    def dispatcher(self, consumer: str = "one", **changes: Any) -> Dispatcher:
        """A dispatcher of the town."""
        return Dispatcher(self.outreach, consumer, self.stores.cardholders, self.metrics, **changes)

    def launch(self, **changes: Any) -> Campaign:
        """A live campaign for the offers at the even merchants, unless told otherwise."""
        plan: dict[str, Any] = {
            "campaign_id": "c_1",
            "name": "spring",
            "item_ids": ("offer_0",),
            "channel": Channel.PUSH,
            "starts_at": datetime(2026, 2, 1, tzinfo=UTC),
            "ends_at": datetime(2026, 3, 1, tzinfo=UTC),
            "pia_ref": "PIA-1",
        }
        draft = Campaign(**{**plan, **changes})
        live = draft.launched(self.clock())
        self.outreach.campaigns.add(ISSUER, live)
        return live

    def run(self, dispatcher: Dispatcher | None = None) -> int:
        """Look until nothing is left to do now; returns how many pushes left."""
        working, sent = dispatcher or self.dispatcher(), 0
        while not (done := working.look(ISSUER)).is_idle:
            sent += done.sent
        return sent

    def gateway(self) -> list[dict[str, Any]]:
        """What the gateway got, in order."""
        return gateway_of(self.stores.durable)

    def reached(self, campaign_id: str = "c_1") -> set[str]:
        """Cardholders whom a campaign reached."""
        return {p["cardholder_id"] for p in self.gateway() if p["campaign_id"] == campaign_id}

    def consent(self, cardholder_ids: Iterable[str], consent: Consent) -> None:
        """Record what cardholders allow."""
        for who in cardholder_ids:
            self.stores.cardholders.put_consent(ISSUER, who, consent)


def gateway_of(connection: Connection) -> list[dict[str, Any]]:
    """Pushes in the gateway's stream."""
    name = PUSH_GATEWAY.key(ISSUER)
    entries: Any = connection.ask_patiently(lambda store: store.xrange(name))
    return [orjson.loads(fields[b"push"]) for _, fields in entries]


def activate(stores: Stores, cardholder_ids: Iterable[str], item_id: str, at: datetime) -> None:
    """Tell that cardholders activated an item at an instant."""
    for who in cardholder_ids:
        event_id = f"e-{who}-{item_id}-{at:%m%d%H%M}"
        record = EventRecord(
            event_id=event_id,
            event_type=EventType.ACTIVATED,
            occurred_at=at,
            item_id=item_id,
        )
        stores.events.take(ISSUER, [Arrival(who, record, record.occurred_at, b"{}")], at)
