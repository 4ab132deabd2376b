"""A cardholder as decisions see him: profile, consent and what one round trip to the store told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from embeddings.interactions import EventType, TransactionStatus


@dataclass(frozen=True, slots=True)
class HeldProduct:
    """A card product that the cardholder holds, and its tier."""

    card_product_id: str
    tier: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What the issuer says of a cardholder; nothing of it is required.

    Parameters
    ----------
    timezone : IANA name of the zone he lives in; None for his issuer's
    minor : under 14: nothing counts but what his guardian allows; None where it is not said,
        which leaves it as it was
    """

    card_products: tuple[HeldProduct, ...] = ()
    city: str | None = None
    segments: tuple[str, ...] = ()
    timezone: str | None = None
    minor: bool | None = False

    @property
    def tiers(self) -> frozenset[str]:
        """Tiers held."""
        return frozenset(product.tier for product in self.card_products)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the cardholder allows; all off until he says otherwise.

    Parameters
    ----------
    personalisation, marketing : his history may be looked at; he may be addressed, by channel
    purpose_version : of the notice that he agreed to
    recorded_at : aware
    guardian : given by the guardian of a child
    objection : he objects to direct marketing, which beats whatever he consented to
    """

    personalisation: bool = False
    marketing: Mapping[str, bool] = field(default_factory=dict)
    purpose_version: str | None = None
    recorded_at: datetime | None = None
    guardian: bool = False
    objection: bool = False

    @property
    def is_withdrawal(self) -> bool:
        """Whether it allows nothing at all."""
        return not (self.personalisation or any(self.marketing.values()))

    def in_force(self, notice: str | None, *, minor: bool | None) -> Self:
        """The consent as far as it counts now; nothing of it where one of the rules forbids.

        An objection is absolute, profiling for marketing included (GDPR 21). A child's own word
        does not bind him (PIPL 31). Consent to an earlier notice does not stretch to this one
        (PIPL 14).
        """
        is_outdated = notice is not None and self.purpose_version != notice
        if self.objection or (minor and not self.guardian) or is_outdated:
            return replace(self, personalisation=False, marketing={})
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One event that the bundle may not know yet.

    Parameters
    ----------
    event_type : EventType
    occurred_at : datetime
        Aware.
    item_id : str, optional
        The item of an activation, redemption, click or view.
    merchant_id, mcc : str, optional
        Where a transaction was.
    transaction_id, status : optional
        Which transaction, and where it stands.
    position : str, optional
        Where the event stands in the issuer's event stream, ``milliseconds-number``; compared
        with the bundle's ``events_through``.
    """

    event_type: EventType
    occurred_at: datetime
    item_id: str | None = None
    merchant_id: str | None = None
    mcc: str | None = None
    transaction_id: str | None = None
    status: TransactionStatus | None = None
    position: str | None = None

    def __post_init__(self) -> None:
        """Refuse an instant without a zone and a transaction without a status."""
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at: has no zone; give an aware instant")
        if self.event_type is EventType.TRANSACTION and self.status is None:
            raise ValueError("status: a transaction has one")


class Activation(StrEnum):
    """Where a cardholder stands with an item, as the API tells it."""

    NOT_REQUIRED = "not_required"
    AVAILABLE = "available"
    ACTIVATED = "activated"
    REDEEMED = "redeemed"


@dataclass(frozen=True, slots=True)
class DayUse:
    """How often, and for how much, a cardholder used an item on one day.

    Parameters
    ----------
    day : int
        Days since 1970-01-01 in the issuer's own zone.
    count : int
    amount_minor : int
    """

    day: int
    count: int
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class ItemUse:
    """What a cardholder did with one item so far.

    Parameters
    ----------
    activation : Activation
        ``AVAILABLE`` when there is none that is open.
    uses : tuple of DayUse
        Uses that count against quotas and caps; reversed ones are already taken out.
    """

    activation: Activation = Activation.AVAILABLE
    uses: tuple[DayUse, ...] = ()

    def count_since(self, day: int) -> int:
        """Uses on or after a day of the issuer's zone."""
        return sum(use.count for use in self.uses if use.day >= day)

    def amount_since(self, day: int) -> int:
        """Minor units of the uses on or after a day of the issuer's zone."""
        return sum(use.amount_minor for use in self.uses if use.day >= day)


@dataclass(frozen=True, slots=True)
class CardholderState:
    """All that one answer needs to know of a cardholder, read in one round trip.

    Parameters
    ----------
    cardholder_id : str
    profile, consent
    known : bool
        False when the issuer never told us of him.
    lacking : tuple of str
        What the store could not give, in the words of the API's ``degraded``; consent is then off.
    contacts : tuple of Contact
        Recent events in any order; those that the bundle already knows are left out by the reader
        of the bundle, so too many is not wrong.
    dismissals : mapping of item id to the instant at which the item may be shown again
    uses : mapping of item id to ItemUse
    forgotten : mapping of column id to instant
        Interests that he deleted, and when: what was before does not count any more.
    erased : bool
        He was erased: his row in an older bundle must not be looked at.
    """

    cardholder_id: str
    profile: Profile = Profile()
    consent: Consent = Consent()
    known: bool = False
    lacking: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    dismissals: Mapping[str, datetime] = field(default_factory=dict)
    uses: Mapping[str, ItemUse] = field(default_factory=dict)
    forgotten: Mapping[str, datetime] = field(default_factory=dict)
    erased: bool = False

    @property
    def may_personalise(self) -> bool:
        """Whether his history may be looked at: he said yes, and we know that he did."""
        return self.consent.personalisation and not self.erased

    @classmethod
    def away(cls, cardholder_id: str, *lacking: str) -> Self:
        """State of a cardholder whose store gave no answer: nothing known, nothing allowed."""
        return cls(cardholder_id, lacking=lacking)
