"""Which touch a conversion is owed to: the last one that is near enough in time.

A view may be answered within 7 days, an activation within 30, unless configured; the last touch
before the conversion gets all of it. Events may come late, twice and in any order: the same set
gives the same credit. Refunds take back what their purchase brought.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from embeddings.interactions import SIGN_OF_STATUS, EventType, TransactionStatus


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a touch may wait for its conversion.

    Parameters
    ----------
    view, activation : timedelta   above 0; a conversion at the very end no longer counts
    """

    view: timedelta = timedelta(days=7)
    activation: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        """Refuse windows that hold nothing."""
        if min(self.view, self.activation) <= timedelta(0):
            raise ValueError("attribution windows must be above 0")

    def of(self, touch: EventType) -> timedelta | None:
        """Window of a kind of touch; None for one that earns no credit."""
        if touch in (EventType.VIEWED, EventType.CLICKED):
            return self.view
        return self.activation if touch is EventType.ACTIVATED else None


@dataclass(frozen=True, slots=True)
class Touch:
    """A cardholder met an item on behalf of a campaign."""

    cardholder_id: str
    item_id: str
    campaign_id: str
    kind: EventType
    occurred_at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a touch may be owed: a redemption, or a purchase at the item's merchant.

    Parameters
    ----------
    event_id : str                 also names the conversion that a refund takes back
    """

    cardholder_id: str
    item_id: str
    occurred_at: datetime
    event_id: str


def credited(
    conversions: Iterable[Conversion], touches: Iterable[Touch], windows: Windows
) -> dict[str, Touch]:
    """The touch that each conversion is owed to, by the conversion's event id.

    Of two touches at one instant the stronger kind wins, then the larger event id. Conversions
    that no touch earned are left out.
    """
    met: dict[tuple[str, str], list[Touch]] = {}
    for touch in touches:
        met.setdefault((touch.cardholder_id, touch.item_id), []).append(touch)
    owed: dict[str, Touch] = {}
    for conversion in conversions:
        near = met.get((conversion.cardholder_id, conversion.item_id), ())
        earned = [touch for touch in near if _earns(touch, conversion, windows)]
        if earned:
            owed[conversion.event_id] = max(earned, key=_order)
    return owed


def _earns(touch: Touch, conversion: Conversion, windows: Windows) -> bool:
    window = windows.of(touch.kind)
    waited = conversion.occurred_at - touch.occurred_at
    return window is not None and timedelta(0) <= waited < window


def _order(touch: Touch) -> tuple[datetime, bool, str]:
    return touch.occurred_at, touch.kind is EventType.ACTIVATED, touch.event_id


@dataclass(frozen=True, slots=True)
class Payment:
    """One card transaction as told by one event.

    Parameters
    ----------
    transaction_id : str    several events of one transaction tell how it goes on
    """

    transaction_id: str
    cardholder_id: str
    amount_minor: int
    status: TransactionStatus
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Spending:
    """What one cardholder spent, net."""

    spend_minor: int = 0
    visits: int = 0


def spending(
    payments: Iterable[Payment], opens_at: datetime, closes_at: datetime
) -> Mapping[str, Spending]:
    """Net spend and visits of each cardholder whose purchases fall in ``[opens_at, closes_at)``.

    One transaction counts once, as its events in order of time and then of status leave it: a
    purchase brings its amount; a reversal or a return of the same transaction takes back what it
    names, at most all; a return under an id of its own takes from the cardholder's total.
    """
    by_id: dict[tuple[str, str], list[Payment]] = {}
    for payment in payments:
        by_id.setdefault((payment.cardholder_id, payment.transaction_id), []).append(payment)
    found: dict[str, Spending] = {}
    for (cardholder_id, _), events in by_id.items():
        amount, visits = _net(events, opens_at, closes_at)
        past = found.get(cardholder_id, Spending())
        found[cardholder_id] = Spending(past.spend_minor + amount, past.visits + visits)
    return {
        who: Spending(max(0, sum_.spend_minor), max(0, sum_.visits)) for who, sum_ in found.items()
    }


def _how_final(purchase: Payment) -> tuple[bool, datetime, int]:
    """A settlement is final over an approval, then the later, then the larger."""
    settled = purchase.status is TransactionStatus.SETTLED
    return settled, purchase.occurred_at, purchase.amount_minor


def _net(events: list[Payment], opens_at: datetime, closes_at: datetime) -> tuple[int, int]:
    """What one transaction brings, and how many visits."""
    purchases = [event for event in events if SIGN_OF_STATUS[event.status] > 0]
    refunds = {
        (event.status, event.occurred_at, event.amount_minor)
        for event in events
        if SIGN_OF_STATUS[event.status] < 0
    }
    taken = sum(amount for _, _, amount in refunds)
    if not purchases:
        inside = [r for r in refunds if opens_at <= r[1] < closes_at]
        return -sum(amount for _, _, amount in inside), -len(inside)
    begun = min(event.occurred_at for event in purchases)
    if not opens_at <= begun < closes_at:
        return 0, 0
    latest = max(purchases, key=_how_final)
    left = max(0, latest.amount_minor - taken)
    return left, 1 if left else 0
