"""Campaigns to bytes and back."""

from datetime import UTC, datetime, time
from typing import Any

import orjson

from embeddings.catalog import Channel, Money
from recsvc.domain.campaign.campaign import Audience, Campaign, PushBudget, State
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.campaign.quiet import QuietHours
from recsvc.stores.codec import OPTIONS


def encode_campaign(campaign: Campaign) -> bytes:
    """Bytes of a campaign."""
    return orjson.dumps(campaign_document(campaign), option=OPTIONS)


def campaign_document(campaign: Campaign) -> dict[str, Any]:
    """JSON values of a campaign, as it is stored and as the API shows it."""
    cap, budget = campaign.frequency_cap, campaign.budget
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "item_ids": list(campaign.item_ids),
        "audience": {
            "size": campaign.audience.size,
            "min_score": campaign.audience.min_score,
            "segments": list(campaign.audience.segments),
            "filter": campaign.audience.filter,
        },
        "channel": campaign.channel.value,
        "starts_at": campaign.starts_at,
        "ends_at": campaign.ends_at,
        "holdout_bps": campaign.holdout_bps,
        "frequency_cap": {"count": cap.count, "period": cap.period} if cap else None,
        "quiet_hours": {
            "from": f"{campaign.quiet_hours.starts:%H:%M}",
            "until": f"{campaign.quiet_hours.ends:%H:%M}",
        },
        "budget": {
            "pushes": budget.pushes,
            "amount": budget.amount.model_dump() if budget.amount else None,
            "per_item": budget.per_item,
        },
        "priority": campaign.priority,
        "pia_ref": campaign.pia_ref,
        "state": campaign.state.value,
        "revision": campaign.revision,
        "moved_at": {state.value: at for state, at in campaign.moved_at.items()},
    }


def decode_campaign(stored: bytes) -> Campaign:
    """Campaign of stored bytes."""
    document: dict[str, Any] = orjson.loads(stored)
    audience, budget, quiet = (document[name] for name in ("audience", "budget", "quiet_hours"))
    cap, amount = document["frequency_cap"], budget["amount"]
    return Campaign(
        campaign_id=document["campaign_id"],
        name=document["name"],
        item_ids=tuple(document["item_ids"]),
        audience=Audience(**{**audience, "segments": tuple(audience["segments"])}),
        channel=Channel(document["channel"]),
        starts_at=_instant(document["starts_at"]),
        ends_at=_instant(document["ends_at"]),
        holdout_bps=document["holdout_bps"],
        frequency_cap=FrequencyCap(**cap) if cap else None,
        quiet_hours=QuietHours(
            time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["until"])
        ),
        budget=PushBudget(
            budget["pushes"], Money(**amount) if amount else None, budget["per_item"]
        ),
        priority=document["priority"],
        pia_ref=document["pia_ref"],
        state=State(document["state"]),
        revision=document["revision"],
        moved_at={State(s): _instant(at) for s, at in document["moved_at"].items()},
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
