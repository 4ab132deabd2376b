"""One item: a benefit of the card, or a merchant offer."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from embeddings.catalog.reward import BenefitType, Reward
from embeddings.catalog.terms import Budget, Quota, Terms
from embeddings.catalog.text import Https, Identifier, Label, Localised, Mcc, Strict


class ItemKind(StrEnum):
    """The two kinds of items."""

    BENEFIT = "benefit"
    MERCHANT_OFFER = "merchant_offer"


class ItemBase(Strict):
    """What a benefit and a merchant offer share."""

    item_id: Identifier
    title: Localised
    description: Localised | None = None
    category: Label
    objective: Literal["acquire", "grow", "retain"] | None = None
    terms: Terms = Terms()
    budget: Budget | None = None
    funding: Literal["issuer", "merchant", "network", "shared"] | None = None
    sponsored: bool = Field(default=False, strict=True)
    priority: Annotated[int, Field(strict=True, ge=0, le=1000)] = 0
    state: Literal["draft", "live", "paused"] = "live"
    url: Https | None = None


class Benefit(ItemBase):
    """An entitlement of the card product: a lounge visit, an insurance, an instalment plan."""

    kind: Literal["benefit"]
    benefit_type: BenefitType
    merchant_ids: tuple[Identifier, ...] = Field((), max_length=1000)
    mccs: tuple[Mcc, ...] = Field((), max_length=200)
    quota: Quota | None = None

    def merchants(self) -> tuple[str, ...]:
        """Ids of the merchants the item hangs on."""
        return self.merchant_ids

    def categories(self) -> tuple[str, ...]:
        """MCCs the item hangs on."""
        return self.mccs


class MerchantOffer(ItemBase):
    """A promotion at a merchant, or at all merchants of a category when it names none."""

    kind: Literal["merchant_offer"]
    merchant_id: Identifier | None = None
    mcc: Mcc | None = None
    reward: Reward

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.merchant_id is None and self.mcc is None:
            raise ValueError("a merchant_offer needs merchant_id or mcc")
        return self

    @model_validator(mode="after")
    def _money_can_be_counted(self) -> Self:
        """What an activation sets aside must be known, and in the budget's own currency."""
        limits = self.budget.amounts() if self.budget else []
        if len({money.currency for money in (*limits, *self.reward.amounts())}) > 1:
            raise ValueError("budget and reward must be of one currency")
        if limits and self.reward.is_unbounded:
            raise ValueError(
                "a rate without reward.max_value cannot be held to a budget in money: "
                "name max_value, or limit by count"
            )
        return self

    def merchants(self) -> tuple[str, ...]:
        """Ids of the merchants the item hangs on."""
        return (self.merchant_id,) if self.merchant_id else ()

    def categories(self) -> tuple[str, ...]:
        """MCCs the item hangs on."""
        return (self.mcc,) if self.mcc else ()


Item = Annotated[Benefit | MerchantOffer, Field(discriminator="kind")]

_ADAPTER: TypeAdapter[Item] = TypeAdapter(Item)


def parse_item(document: object) -> Item:
    """Item of a decoded JSON document; pydantic's ValidationError names each wrong field."""
    return _ADAPTER.validate_python(document)


def item_document(item: Item) -> dict[str, Any]:
    """The JSON form of an item, without fields that say nothing."""
    return item.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {
        "kind": item.kind
    }
