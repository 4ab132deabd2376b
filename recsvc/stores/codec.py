"""Values to bytes and back; the only place that knows how a stored value is spelled."""

from datetime import UTC, datetime
from typing import Any

import orjson

from recsvc.domain.cardholder import Consent, HeldProduct, Profile

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


def encode_profile(profile: Profile) -> bytes:
    """Bytes of a profile."""
    document = {
        "card_products": [[p.card_product_id, p.tier] for p in profile.card_products],
        "city": profile.city,
        "segments": profile.segments,
        "timezone": profile.timezone,
    }
    return orjson.dumps(document, option=OPTIONS)


def decode_profile(stored: bytes) -> Profile:
    """Profile of stored bytes."""
    document: dict[str, Any] = orjson.loads(stored)
    held = tuple(HeldProduct(product, tier) for product, tier in document["card_products"])
    zone = document.get("timezone")  # profiles that were written before it was asked have none
    return Profile(held, document["city"], tuple(document["segments"]), zone)


def encode_consent(consent: Consent) -> bytes:
    """Bytes of a consent."""
    document = {
        "personalisation": consent.personalisation,
        "marketing": dict(consent.marketing),
        "purpose_version": consent.purpose_version,
        "recorded_at": consent.recorded_at,
    }
    return orjson.dumps(document, option=OPTIONS)


def decode_consent(stored: bytes) -> Consent:
    """Consent of stored bytes."""
    document: dict[str, Any] = orjson.loads(stored)
    return Consent(
        document["personalisation"],
        document["marketing"],
        document["purpose_version"],
        decode_instant(document["recorded_at"]),
    )


def decode_permission(stored: bytes, channel: str) -> tuple[bool, bool, str | None]:
    """Of a stored consent only: personalisation, marketing on a channel, version of the notice."""
    document: dict[str, Any] = orjson.loads(stored)
    allowed = document["marketing"].get(channel, False)
    return document["personalisation"], allowed, document["purpose_version"]


def decode_instant(stored: str | None) -> datetime | None:
    """Instant in UTC of stored text."""
    return None if stored is None else datetime.fromisoformat(stored).astimezone(UTC)
