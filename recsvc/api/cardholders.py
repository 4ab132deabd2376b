"""What the issuer tells of a cardholder, and what the cardholder allows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from embeddings.catalog.terms import Channel
from embeddings.catalog.text import Instant, Label
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import Body, CardholderPath, OutsideId
from recsvc.domain.cardholder import Consent, HeldProduct, Profile
from recsvc.domain.errors import InvalidError, NotFoundError
from recsvc.domain.zones import is_zone
from recsvc.stores.people.cardholders import CardholderStore

CLOCK_LEEWAY = timedelta(minutes=5)


class HeldProductBody(Body):
    """A card product held, and its tier."""

    card_product_id: OutsideId
    tier: Label


class ProfileBody(Body):
    """Profile of a cardholder; a PUT replaces all of it but the mark of a child."""

    card_products: Annotated[tuple[HeldProductBody, ...], Field(max_length=50)] = ()
    city: Label | None = None
    segments: Annotated[tuple[Label, ...], Field(max_length=100)] = ()
    timezone: Annotated[
        str | None,
        Field(
            max_length=64,
            description="IANA name of his zone, for quiet hours; his issuer's when null",
        ),
    ] = None
    minor: Annotated[
        bool | None,
        Field(description="under 14: only what his guardian allows counts; as it was unless given"),
    ] = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and not is_zone(name):
            raise ValueError("is no zone of the IANA table; send a name such as Asia/Shanghai")
        return name

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.segments)) != len(self.segments):
            raise ValueError("segments: one comes twice; name each once")
        return self


class ProfileAnswer(ProfileBody):
    """A profile and whose it is."""

    cardholder_id: OutsideId
    minor: bool


class ConsentBody(Body):
    """What the cardholder allows, under which wording, and when he said so."""

    personalisation: bool
    marketing: Annotated[dict[Channel, bool], Field(default_factory=dict)]
    purpose_version: Annotated[Label, Field(description="version of the notice he agreed to")]
    recorded_at: Annotated[
        Instant | None,
        Field(
            description="when he said so; now unless given. Earlier than what is on record it is "
            "refused, unless it withdraws everything"
        ),
    ] = None
    guardian: Annotated[
        bool, Field(description="given by the guardian of a child; a minor's own does not count")
    ] = False
    objection: Annotated[
        bool | None,
        Field(
            description="he objects to direct marketing and the profiling for it: beats every "
            "consent, and stands until false is sent; as it was unless given"
        ),
    ] = None


class CardholderLine(ProfileBody):
    """One line of a file of cardholders: whose it is, his profile, and what he allows."""

    cardholder_id: OutsideId
    consent: ConsentBody | None = None


class ConsentAnswer(Body):
    """The consent on record; all off when there is none."""

    cardholder_id: OutsideId
    personalisation: bool
    marketing: dict[Channel, bool]
    purpose_version: str | None
    recorded_at: AwareDatetime | None
    guardian: bool
    objection: bool


def cardholder_routes(
    gate: Gate, store: CardholderStore, clock: Callable[[], datetime], body_limit_bytes: int
) -> Routes:
    """Endpoints of profile and consent."""
    routes = Routes("cardholders", gate, body_limit_bytes)

    def put_profile(caller: Caller, path: CardholderPath, body: ProfileBody) -> Any:  # noqa: ANN401
        """Replace a cardholder's profile."""
        kept = store.put_profile(caller.issuer_id, path.cardholder_id, profile_of(body))
        return _profile_document(path.cardholder_id, kept)

    def get_profile(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """Read a cardholder's profile."""
        state = store.state_of(caller.issuer_id, path.cardholder_id)
        if not state.known:
            raise NotFoundError
        return _profile_document(path.cardholder_id, state.profile)

    def put_consent(caller: Caller, path: CardholderPath, body: ConsentBody) -> Any:  # noqa: ANN401
        """Record what a cardholder allows; felt by the very next answer."""
        consent = consent_of(body, clock())
        kept = store.put_consent(
            caller.issuer_id,
            path.cardholder_id,
            consent,
            objects=body.objection,
            unless_newer=body.recorded_at is not None and not _only_takes_back(body, consent),
        )
        return _consent_document(path.cardholder_id, kept)

    def get_consent(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """Read what a cardholder allows; all off when nothing was recorded."""
        state = store.state_of(caller.issuer_id, path.cardholder_id)
        return _consent_document(path.cardholder_id, state.consent)

    profile_rule = "/v1/cardholders/<cardholder_id>"
    consent_rule = f"{profile_rule}/consent"
    profile, consent = {200: ProfileAnswer}, {200: ConsentAnswer}
    routes.add("PUT", profile_rule, put_profile, scope="events:write", answers=profile, more=(409,))
    routes.add(
        "GET", profile_rule, get_profile, scope="rec:read", answers=profile, budget=Budget.QUICK
    )
    routes.add("PUT", consent_rule, put_consent, scope="events:write", answers=consent, more=(409,))
    routes.add(
        "GET", consent_rule, get_consent, scope="rec:read", answers=consent, budget=Budget.QUICK
    )
    return routes


def _only_takes_back(body: ConsentBody, consent: Consent) -> bool:
    """Whether it allows nothing, and ends no objection either."""
    return consent.is_withdrawal and body.objection is not False


def profile_of(body: ProfileBody) -> Profile:
    """Profile that a body describes."""
    held = tuple(HeldProduct(one.card_product_id, one.tier) for one in body.card_products)
    return Profile(held, body.city, body.segments, body.timezone, body.minor)


def _profile_document(cardholder_id: str, profile: Profile) -> dict[str, Any]:
    return {
        "cardholder_id": cardholder_id,
        "card_products": [
            {"card_product_id": held.card_product_id, "tier": held.tier}
            for held in profile.card_products
        ],
        "city": profile.city,
        "segments": profile.segments,
        "timezone": profile.timezone,
        "minor": profile.minor,
    }


def consent_of(body: ConsentBody, now: datetime) -> Consent:
    """Consent that a body records; InvalidError when it was given in the future."""
    recorded_at = body.recorded_at or now
    if recorded_at > now + CLOCK_LEEWAY:
        raise InvalidError("/recorded_at", "lies in the future; send when consent was given")
    marketing = {channel.value: allowed for channel, allowed in body.marketing.items()}
    return Consent(
        body.personalisation,
        marketing,
        body.purpose_version,
        recorded_at,
        body.guardian,
        bool(body.objection),
    )


def _consent_document(cardholder_id: str, consent: Consent) -> dict[str, Any]:
    return {
        "cardholder_id": cardholder_id,
        "personalisation": consent.personalisation,
        "marketing": dict(consent.marketing),
        "purpose_version": consent.purpose_version,
        "recorded_at": consent.recorded_at,
        "guardian": consent.guardian,
        "objection": consent.objection,
    }
