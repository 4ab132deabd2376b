"""What marketers send and get: audiences and campaigns."""

from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from embeddings.catalog import Channel, Money
from embeddings.catalog.text import Label
from recsvc.api.http.schemas import Body, OutsideId, Parameters
from recsvc.domain.campaign.campaign import Audience, Campaign, PushBudget
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.campaign.quiet import QuietHours

PushChannel = Literal["push", "email", "sms"]
Bps = Annotated[int, Field(ge=0, le=5_000)]


class EstimateBody(Body):
    """Whom an item might be told to."""

    item_id: OutsideId
    channel: PushChannel
    size: Annotated[int | None, Field(ge=1, le=10**9)] = None
    min_score: Annotated[float | None, Field(allow_inf_nan=False)] = None
    segments: Annotated[tuple[Label, ...], Field(max_length=100)] = ()
    filter: Annotated[
        str | None,
        Field(max_length=500, description="such as `churn_risk >= 0.6 and value >= p70`"),
    ] = None


class EstimateAnswer(BaseModel):
    """Rounded counts; null where nothing may be told, with the reason in `withheld`."""

    item_id: str
    matched: int | None
    excluded: dict[str, int | None]
    withheld: dict[str, str]
    rounded: bool
    minimum: int
    sample_share: float


class AudienceBody(Body):
    """Whom a campaign means."""

    size: Annotated[int | None, Field(ge=1, le=10**9)] = None
    min_score: Annotated[float | None, Field(allow_inf_nan=False)] = None
    segments: Annotated[tuple[Label, ...], Field(max_length=100)] = ()
    filter: Annotated[str | None, Field(max_length=500)] = None


class CapBody(Body):
    """At most so many pushes of all campaigns in any such span."""

    count: Annotated[int, Field(ge=1, le=1_000)]
    period: Literal["day", "week", "month"]


HourMinute = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietBody(Body):
    """Local hours in which nothing is sent; alike for none."""

    from_: Annotated[HourMinute, Field(alias="from")] = "21:00"
    until: HourMinute = "08:00"


class BudgetBody(Body):
    """What a campaign may use."""

    pushes: Annotated[int | None, Field(ge=1, le=10**9)] = None
    amount: Money | None = None
    per_item: Annotated[int | None, Field(ge=1, le=10**9)] = None


class CampaignBody(Body):
    """A plan to reach cardholders."""

    name: Label
    item_ids: Annotated[tuple[OutsideId, ...], Field(min_length=1, max_length=200)]
    audience: AudienceBody = AudienceBody()
    channel: PushChannel
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    holdout_bps: Bps = 1_000
    frequency_cap: CapBody | None = None
    quiet_hours: QuietBody = QuietBody()
    budget: BudgetBody = BudgetBody()
    priority: Annotated[int, Field(ge=0, le=1_000)] = 0
    pia_ref: Annotated[
        str | None, Field(min_length=1, max_length=128, description="impact assessment")
    ] = None

    def campaign(self, campaign_id: str) -> Campaign:
        """The draft; InvalidError names a field that makes no sense."""
        cap, budget, audience = self.frequency_cap, self.budget, self.audience
        return Campaign(
            campaign_id=campaign_id,
            name=self.name,
            item_ids=self.item_ids,
            channel=Channel(self.channel),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            audience=Audience(
                audience.size, audience.min_score, audience.segments, audience.filter
            ),
            holdout_bps=self.holdout_bps,
            frequency_cap=FrequencyCap(cap.count, cap.period) if cap else None,
            quiet_hours=QuietHours(
                time.fromisoformat(self.quiet_hours.from_),
                time.fromisoformat(self.quiet_hours.until),
            ),
            budget=PushBudget(budget.pushes, budget.amount, budget.per_item),
            priority=self.priority,
            pia_ref=self.pia_ref,
        )


class CampaignPath(Parameters):
    """The campaign in the address."""

    campaign_id: OutsideId


class AudienceQuery(Parameters):
    """In which form an audience is told."""

    format: Literal["ndjson", "csv", "parquet"] = "ndjson"


class ResultsQuery(Parameters):
    """For whose eyes results are."""

    view: Literal["issuer", "merchant"] = "issuer"


class CampaignAnswer(BaseModel):
    """A campaign and where it stands."""

    campaign_id: str
    name: str
    item_ids: list[str]
    audience: dict[str, Any]
    channel: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    holdout_bps: int
    frequency_cap: dict[str, Any] | None
    quiet_hours: dict[str, Any]
    budget: dict[str, Any]
    priority: int
    pia_ref: str | None
    state: str
    revision: int
    moved_at: dict[str, AwareDatetime]


class CampaignPage(BaseModel):
    """Campaigns in order of their ids."""

    campaigns: list[CampaignAnswer]
    next_cursor: str | None


class FindingAnswer(BaseModel):
    """Something that forbids a launch, or should be known before it."""

    code: str
    about: str


Detectable = Annotated[
    float | None,
    Field(
        description="smallest change of the share who activate that arms of these sizes show four "
        "times in five, if `baseline_rate` activate without a push; null without a holdout"
    ),
]
BaselineRate = Annotated[
    float | None,
    Field(
        description="share of the holdout that activates without a push: its own once ten did, "
        "assumed until then"
    ),
]


class CheckAnswer(BaseModel):
    """What a launch would meet."""

    campaign_id: str
    blockers: list[FindingAnswer]
    notices: list[FindingAnswer]
    projected_reach: Annotated[
        int | None, Field(description="cardholders who would be pushed, the holdout left out")
    ]
    projected_most_cost: Money | None
    detectable_difference: Detectable
    baseline_rate: BaselineRate
    baseline_assumed: bool
    cardholders_needed: Annotated[
        int | None,
        Field(
            description="of both arms together, for one activation in a hundred more to be found "
            "four times in five at this holdout; null without a holdout"
        ),
    ]


class ResultsAnswer(BaseModel):
    """What a campaign earned; parts below the minimum are withheld."""

    campaign_id: str
    state: str
    as_of: AwareDatetime
    fresh_until: Annotated[
        AwareDatetime | None,
        Field(
            description="until when this very answer is given again; null before anybody is meant"
        ),
    ] = None
    confidence: float
    minimum: int
    treated: dict[str, int | None]
    holdout: dict[str, int | None]
    lift: dict[str, Any] | None = None
    lift_spend_without_cuped: dict[str, Any] | None = None
    incremental: dict[str, Any] | None = None
    cost_minor: float | None = None
    return_on_cost: dict[str, Any] | None = None
    sample_ratio: dict[str, Any] | None
    detectable_difference: Detectable = None
    baseline_rate: BaselineRate = None
    baseline_assumed: bool | None = None
    past_retention: bool = False
    by_item: list[dict[str, Any]]
    by_segment: list[dict[str, Any]]
