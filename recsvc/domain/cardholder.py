"""A cardholder as decisions see him: profile, consent and what one round trip to the store told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HeldProduct:
    """A card product that the cardholder holds, and its tier."""

    card_product_id: str
    tier: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What the issuer says of a cardholder; nothing of it is required."""

    card_products: tuple[HeldProduct, ...] = ()
    city: str | None = None
    segments: tuple[str, ...] = ()

    @property
    def product_ids(self) -> frozenset[str]:
        """Ids of the card products held."""
        return frozenset(product.card_product_id for product in self.card_products)

    @property
    def tiers(self) -> frozenset[str]:
        """Tiers held."""
        return frozenset(product.tier for product in self.card_products)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the cardholder allows; all off until he says otherwise."""

    personalisation: bool = False
    marketing: Mapping[str, bool] = field(default_factory=dict)
    purpose_version: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CardholderState:
    """All that one answer needs to know of a cardholder, read in one round trip.

    `known` is False when the issuer never told us of him; `lacking` names what the store could
    not give, in the words of the API's `degraded`; consent is then off.
    """

    cardholder_id: str
    profile: Profile = Profile()
    consent: Consent = Consent()
    known: bool = False
    lacking: tuple[str, ...] = ()
