"""Campaigns, whom they mean and what audiences were told."""

from recsvc.stores.keys.family import DAY_SECONDS, Family

CAMPAIGNS = Family(
    "campaigns",
    "hash",
    "durable",
    None,
    "three years, as evidence of what was launched on which assessment",
    "campaign id → the campaign as JSON",
)
HOLDOUT_KEY = Family(
    "holdout_key",
    "string",
    "durable",
    None,
    "for ever; one value",
    "key of holdouts and of push ids, so that both are the same for ever",
)
CAMPAIGN_ROSTER = Family(
    "campaign_roster",
    "hash",
    "durable",
    400 * DAY_SECONDS,
    "400 days from when it was drawn up",
    "one campaign: part → cardholders it means, arm, item, segment and pre-period of each",
    personal=True,
)
CAMPAIGN_QUEUED = Family(
    "campaign_queued",
    "set",
    "durable",
    400 * DAY_SECONDS,
    "400 days, as the roster",
    "one campaign: parts of its roster that are in the outbox",
)
CAMPAIGN_PUSHES = Family(
    "campaign_pushes",
    "hash",
    "durable",
    400 * DAY_SECONDS,
    "400 days from the last push",
    "one campaign: push id → instant it left at, or why it did not",
)
CAMPAIGN_REVIEW = Family(
    "campaign_review",
    "hash",
    "durable",
    None,
    "three years, with the campaign",
    "campaign id → its results as last worked out; sums, no cardholders",
)
AUDIENCE_ANSWERS = Family(
    "audience_answers",
    "stream",
    "durable",
    30 * DAY_SECONDS,
    "thirty days, and at most a bounded number",
    "sketches of audiences that were asked for and what was answered; no cardholders",
)

FAMILIES = (
    CAMPAIGNS,
    HOLDOUT_KEY,
    CAMPAIGN_ROSTER,
    CAMPAIGN_QUEUED,
    CAMPAIGN_PUSHES,
    CAMPAIGN_REVIEW,
    AUDIENCE_ANSWERS,
)
