"""For whom, when and how often: the data that eligibility judges."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from embeddings.catalog.money import Money
from embeddings.catalog.text import Identifier, Instant, Label, Strict


class Channel(StrEnum):
    """Where a cardholder meets an item."""

    MOBILE_APP = "mobile_app"
    MINI_PROGRAM = "mini_program"
    WEB = "web"
    BRANCH = "branch"
    PUSH = "push"
    EMAIL = "email"
    SMS = "sms"


class Period(StrEnum):
    """The span of a limit, in the issuer's own zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    TOTAL = "total"


def sorted_once(days: tuple[int, ...]) -> tuple[int, ...]:
    """The days in order, each once."""
    return tuple(sorted(set(days)))


Weekday = Annotated[int, Field(strict=True, ge=1, le=7)]
Count = Annotated[int, Field(strict=True, ge=1, le=10**12)]


class CustomerRecency(Strict):
    """Only cardholders whose last purchase there was long enough, or recently enough, ago.

    ``min_days`` alone admits those who never bought; ``max_days`` does not.
    """

    at: Literal["merchant", "category"] = "merchant"
    min_days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None
    max_days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min_days is None and self.max_days is None:
            raise ValueError("needs min_days or max_days")
        return self


class Terms(Strict):
    """Who may have an item, when and where; an empty list means no restriction."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    card_products: tuple[Identifier, ...] = Field((), max_length=200)
    tiers: tuple[Label, ...] = Field((), max_length=50)
    cities: tuple[Label, ...] = Field((), max_length=1000)
    segments: tuple[Label, ...] = Field((), max_length=200)
    channels: tuple[Channel, ...] = Field((), max_length=7)
    days_of_week: Annotated[tuple[Weekday, ...], AfterValidator(sorted_once)] = ()
    customer_recency: CustomerRecency | None = None
    requires_activation: bool = Field(default=False, strict=True)
    exclusive_group: Identifier | None = None

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class Limit(Strict):
    """A budget in count, in money or in both; whichever is used up first ends it."""

    count: Count | None = None
    amount: Money | None = None

    @model_validator(mode="after")
    def _limits(self) -> Self:
        if self.count is None and self.amount is None:
            raise ValueError("needs count or amount")
        return self


class PerCardholder(Limit):
    """A limit for each cardholder and period."""

    period: Period = Period.TOTAL


class Budget(Strict):
    """What all cardholders together, and each, may use."""

    total: Limit | None = None
    daily: Limit | None = None
    per_cardholder: PerCardholder | None = None

    def amounts(self) -> list[Money]:
        """All amounts of money that the budget names."""
        limits = (self.total, self.daily, self.per_cardholder)
        return [limit.amount for limit in limits if limit is not None and limit.amount is not None]


class Quota(Strict):
    """How often a benefit may be used by one cardholder in a period."""

    count: Count
    period: Period = Period.YEAR
