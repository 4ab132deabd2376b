"""Shapes of answers for the OpenAPI document; tests hold the answers to them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from embeddings.catalog import BenefitType, ItemKind, Quota, Reward
from recsvc.domain.cardholder import Activation
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.question import Shortfall, Source


class Shape(BaseModel):
    """An answer has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


Lacks = Annotated[
    list[Literal["profile_store", "model"]],
    Field(
        description="what the answer had to do without; empty when nothing. `profile_store`: the "
        "store of profiles, consents and events gave no answer in time, so nobody is personalised. "
        "`model`: no bundle is loaded, so lists are by popularity and newness"
    ),
]


class ReasonShape(Shape):
    """Why an item is shown."""

    code: str
    text: str
    evidence: list[dict[str, Any]]


class CardShape(Shape):
    """What a list shows of an item, whoever looks; offers and benefits have fields of their own."""

    item_id: str
    kind: ItemKind
    title: str
    category: str
    starts_at: datetime | None
    ends_at: datetime | None
    merchant_id: str | None = None
    mcc: str | None = None
    reward: Reward | None = None
    benefit_type: BenefitType | None = None
    quota: Quota | None = None


class PlaceShape(CardShape):
    """One place of a list."""

    rank: int
    score: float
    source: Source
    activation: Activation
    reasons: list[ReasonShape]
    serve_token: str


class RecommendationAnswer(Shape):
    """One list and everything there is to say about it."""

    request_id: str
    issuer_id: str
    cardholder_id: str
    personalised: bool
    model_version: str | None
    catalog_version: str
    ranking: str
    experiment: str | None
    requested: int
    returned: int
    shortfall_reason: Shortfall | None
    degraded: Lacks
    items: list[PlaceShape]


class BatchAnswer(Shape):
    """Lists in the order asked."""

    request_id: str
    results: list[RecommendationAnswer]


class RankedShape(Shape):
    """One of the given items."""

    rank: int
    item_id: str
    score: float
    source: Source


class RefusedShape(Shape):
    """One of the given items that he may not have."""

    item_id: str
    refusals: list[Refusal]


class RankingAnswer(Shape):
    """The given items in order, and the refused ones."""

    request_id: str
    cardholder_id: str
    personalised: bool
    model_version: str | None
    catalog_version: str
    ranked: list[RankedShape]
    refused: list[RefusedShape]
    degraded: Lacks


class SimilarShape(CardShape):
    """An item like the one asked for."""

    score: float


class SimilarAnswer(Shape):
    """Items like an item, most alike first."""

    item_id: str
    items: list[SimilarShape]


class EligibilityAnswer(Shape):
    """Whether a cardholder may have an item now, and every reason if not."""

    cardholder_id: str
    item_id: str
    eligible: bool
    refusals: list[Refusal]


class ModelShape(Shape):
    """A published bundle."""

    version: str
    created_at: datetime | None
    is_current: bool
    is_pinned: bool
    fault: str | None
    counts: dict[str, Any] | None
    figures: dict[str, Any] | None
    factor_hash: str | None


class ModelPage(Shape):
    """Published bundles, oldest first."""

    items: list[ModelShape]
    next_cursor: str | None


class ServingShape(Shape):
    """What serves: the published version and what the answering worker has loaded."""

    version: str | None
    serving: str | None
    catalog_version: str | None


class PointedShape(Shape):
    """The version that every worker will serve within ten seconds."""

    version: str
    status: Literal["current"]
