"""Campaigns for tests; builders name only what matters."""

from datetime import UTC, datetime
from typing import Any

from embeddings.catalog import Benefit, Channel, MerchantOffer, parse_item
from recsvc.domain.campaign.campaign import Campaign

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon in Shanghai."""


def a_campaign(**changes: Any) -> Campaign:
    """A draft that could be launched at ``NOON``."""
    plan = {
        "campaign_id": "c_1",
        "name": "spring",
        "item_ids": ("offer_1",),
        "channel": Channel.PUSH,
        "starts_at": datetime(2026, 3, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 4, 1, tzinfo=UTC),
        "pia_ref": "PIA-7",
    }
    return Campaign(**{**plan, **changes})


def an_offer(item_id: str = "offer_1", **changes: Any) -> MerchantOffer | Benefit:
    """A live offer of 20 yuan off 100, with a budget of its own."""
    money = {"amount_minor": 2_000, "currency": "CNY"}
    document = {
        "item_id": item_id,
        "kind": "merchant_offer",
        "title": {"en": "20 off 100"},
        "category": "dining",
        "merchant_id": "m_1",
        "reward": {
            "type": "spend_and_get",
            "min_spend": {"amount_minor": 10_000, "currency": "CNY"},
            "value": money,
        },
        "budget": {"total": {"count": 100}},
    }
    return parse_item({**document, **changes})
