"""What a merchant offer gives, and the types of benefits."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from embeddings.catalog.money import Money
from embeddings.catalog.text import Strict


class RewardType(StrEnum):
    """The offer types of the card industry (vocabulary of the docs)."""

    CASHBACK_PERCENT = "cashback_percent"
    CASHBACK_FIXED = "cashback_fixed"
    STATEMENT_CREDIT = "statement_credit"
    POINTS_MULTIPLIER = "points_multiplier"
    POINTS_BONUS = "points_bonus"
    SPEND_AND_GET = "spend_and_get"
    INSTANT_DISCOUNT = "instant_discount"
    RANDOM_DISCOUNT = "random_discount"
    PERCENT_DISCOUNT = "percent_discount"
    COUPON = "coupon"
    INSTALMENT = "instalment"
    FEE_WAIVER = "fee_waiver"
    EXPERIENCE = "experience"


class BenefitType(StrEnum):
    """What a card product entitles to."""

    LOUNGE = "lounge"
    POINTS_MULTIPLIER = "points_multiplier"
    INSURANCE = "insurance"
    INSTALMENT = "instalment"
    MEMBERSHIP = "membership"
    FEE_WAIVER = "fee_waiver"
    CONCIERGE = "concierge"
    TRANSFER = "transfer"
    HEALTH = "health"
    EXPERIENCE = "experience"
    CASHBACK = "cashback"


REQUIRED = {
    RewardType.CASHBACK_PERCENT: ("rate_bps",),
    RewardType.CASHBACK_FIXED: ("value",),
    RewardType.STATEMENT_CREDIT: ("value",),
    RewardType.POINTS_MULTIPLIER: ("multiplier_bps",),
    RewardType.POINTS_BONUS: ("points",),
    RewardType.SPEND_AND_GET: ("min_spend", "value"),
    RewardType.INSTANT_DISCOUNT: ("value",),
    RewardType.RANDOM_DISCOUNT: ("max_value",),
    RewardType.PERCENT_DISCOUNT: ("rate_bps",),
    RewardType.COUPON: ("value",),
    RewardType.INSTALMENT: ("periods", "fee_rate_bps"),
    RewardType.FEE_WAIVER: (),
    RewardType.EXPERIENCE: (),
}
"""The fields without which a reward of each type says nothing."""

RATED = frozenset({RewardType.CASHBACK_PERCENT, RewardType.PERCENT_DISCOUNT})
"""Rewards that are a share of what was paid."""

Bps = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class Reward(Strict):
    """What the cardholder gets.

    Rates are basis points (2000 is 20 %); ``multiplier_bps`` 20000 is double points. ``value`` is
    what he gets, ``min_spend`` from which spend on, ``max_value`` the cap of a rate or the top of
    a random discount, ``min_value`` its bottom.
    """

    type: RewardType
    value: Money | None = None
    min_spend: Money | None = None
    min_value: Money | None = None
    max_value: Money | None = None
    rate_bps: Bps | None = None
    multiplier_bps: Annotated[int, Field(strict=True, gt=10_000, le=1_000_000)] | None = None
    points: Annotated[int, Field(strict=True, gt=0, le=10**9)] | None = None
    periods: Annotated[int, Field(strict=True, ge=2, le=60)] | None = None
    fee_rate_bps: Bps | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        missing = [name for name in REQUIRED[self.type] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a {self.type.value} reward needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if len({money.currency for money in self.amounts()}) > 1:
            raise ValueError("all amounts of one reward must be of one currency")
        return self

    def amounts(self) -> list[Money]:
        """All amounts of money that the reward names."""
        named = (self.value, self.min_spend, self.min_value, self.max_value)
        return [money for money in named if money is not None]

    @property
    def is_unbounded(self) -> bool:
        """Whether one purchase may earn any amount: a rate without a cap."""
        return self.type in RATED and self.max_value is None
