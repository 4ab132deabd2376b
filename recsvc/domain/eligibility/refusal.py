"""Why an item is refused: a value, part of the API, in the order in which it is told."""

from enum import StrEnum


class Refusal(StrEnum):
    """One reason why a cardholder may not have, or be shown, an item now."""

    UNKNOWN_ITEM = "unknown_item"
    NOT_LIVE = "not_live"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    CARD_PRODUCT = "card_product"
    TIER = "tier"
    CITY = "city"
    SEGMENT = "segment"
    CHANNEL = "channel"
    DAY_OF_WEEK = "day_of_week"
    CUSTOMER_RECENCY = "customer_recency"
    PERSONALISATION_REQUIRED = "personalisation_required"
    BUDGET_EXHAUSTED = "budget_exhausted"
    CAP_REACHED = "cap_reached"
    QUOTA_USED = "quota_used"
    EXCLUSIVE_GROUP = "exclusive_group"
    DISMISSED = "dismissed"
    EXCLUDED = "excluded"
    KIND = "kind"
    CATEGORY = "category"


MEANING = {
    Refusal.UNKNOWN_ITEM: "this issuer's catalogue has no such item",
    Refusal.NOT_LIVE: "the item is a draft",
    Refusal.PAUSED: "the item is paused",
    Refusal.NOT_STARTED: "its window has not begun",
    Refusal.ENDED: "its window is over",
    Refusal.CARD_PRODUCT: "the cardholder holds none of its card products",
    Refusal.TIER: "no card he holds for it is of one of its tiers",
    Refusal.CITY: "it does not hold in this city, or no city is known",
    Refusal.SEGMENT: "the cardholder is in none of its segments",
    Refusal.CHANNEL: "it is not offered on this channel",
    Refusal.DAY_OF_WEEK: "it does not hold on this weekday of the issuer's zone",
    Refusal.CUSTOMER_RECENCY: "his last purchase there is too recent or too long ago",
    Refusal.PERSONALISATION_REQUIRED: "judging it needs traits he has not agreed to be judged by",
    Refusal.BUDGET_EXHAUSTED: "the item's total or daily budget is used up",
    Refusal.CAP_REACHED: "he has used the item as often, or for as much, as each may",
    Refusal.QUOTA_USED: "he has used the benefit's quota of this period",
    Refusal.EXCLUSIVE_GROUP: "he has activated another item of its exclusive group",
    Refusal.DISMISSED: "he dismissed it and that has not lapsed",
    Refusal.EXCLUDED: "the request excludes it",
    Refusal.KIND: "the request asks for the other kind",
    Refusal.CATEGORY: "the request asks for another category",
}
"""What each reason says, for the documentation of the API."""
