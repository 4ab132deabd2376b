"""The key table: every key the service writes, its type, its time to live and what it holds.

Nothing else in the code spells a key. Each begins with the layout's version and the issuer in
braces, so that two issuers never meet and one issuer's keys share a slot of a cluster.
"""

from dataclasses import dataclass
from typing import Literal

LAYOUT = "r1"
EVERY_ISSUER = "*"
"""Stands where an issuer stands, for the few keys that are read before the issuer is known."""

DAY_SECONDS = 24 * 60 * 60
WEEK_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the table.

    Parameters
    ----------
    name : word in the key
    kind : type of the value
    role : which store it lives in
    ttl_seconds : time to live; None only when `kept` says what ends it
    kept : how long it stays and what removes it
    holds : what is in it
    personal : whether it tells of one cardholder, and so must be exported and erased with him
    """

    name: str
    kind: Literal["string", "hash", "set", "zset", "stream"]
    role: Literal["cache", "durable"]
    ttl_seconds: int | None
    kept: str
    holds: str
    personal: bool = False

    def __post_init__(self) -> None:
        """Refuse a family that nobody has decided an end for: nothing is kept without a limit."""
        if self.ttl_seconds is None and not self.kept:
            raise ValueError(f"{self.name}: say how long it is kept and what removes it")

    def key(self, issuer_id: str, *parts: str) -> str:
        """The key of this family for an issuer and, where it has any, further ids."""
        return ":".join((LAYOUT, f"{{{issuer_id}}}", self.name, *parts))


API_KEYS = Family(
    "api_keys",
    "hash",
    "durable",
    None,
    "until revoked keys are pruned by an operator",
    "key id → issuer, scopes, sha256 of the secret, expiry, revocation",
)
API_KEYS_VERSION = Family(
    "api_keys_version", "string", "durable", None, "for ever; one number", "grows with each change"
)
ISSUERS = Family(
    "issuers", "set", "durable", None, "for ever; one id an issuer", "issuers that have a key"
)
CATALOG = Family(
    "catalog",
    "hash",
    "durable",
    None,
    "until the item is deleted",
    "item id → revision, kind, JSON of the item",
)
CATALOG_STATE = Family(
    "catalog_state",
    "hash",
    "durable",
    None,
    "for ever; two fields",
    "version, which grows with each change, and the epoch it counts in",
)
CATALOG_CHANGES = Family(
    "catalog_changes",
    "zset",
    "durable",
    None,
    "for ever; one entry an item ever listed",
    "item id scored by the version that last changed or deleted it",
)
CATALOG_LIST = Family(
    "catalog_list",
    "zset",
    "durable",
    None,
    "until the item is deleted",
    "item ids of one kind, all scored 0, for paging in order",
)
CARDHOLDER = Family(
    "cardholder",
    "hash",
    "durable",
    None,
    "until the cardholder is erased",
    "profile, consent, recent events, dismissals, uses of items, deleted interests",
    personal=True,
)
SERVES = Family(
    "serves",
    "stream",
    "cache",
    7 * DAY_SECONDS,
    "seven days, and at most a bounded number",
    "what was served: request, cardholder, model, items",
    personal=True,
)
IDEMPOTENCY = Family(
    "idempotency",
    "hash",
    "durable",
    DAY_SECONDS,
    "24 hours",
    "one request's fingerprint and its answer, for replays",
    personal=True,
)
IDEMPOTENCY_OF = Family(
    "idempotency_of",
    "set",
    "durable",
    DAY_SECONDS,
    "24 hours from the last of them",
    "keyed hash of a cardholder's id → the keys of his replays, so that they go with him",
    personal=True,
)

EVENTS = Family(
    "events",
    "stream",
    "durable",
    7 * DAY_SECONDS,
    "seven days once archived; the archiver trims it",
    "accepted events in order of arrival",
    personal=True,
)
EVENTS_DEAD = Family(
    "events_dead",
    "stream",
    "durable",
    30 * DAY_SECONDS,
    "thirty days",
    "events that could not be archived, with the reason",
    personal=True,
)
EVENTS_SEEN = Family(
    "events_seen",
    "set",
    "durable",
    6 * WEEK_SECONDS,
    "six weeks from its first",
    "one week: ids of the events accepted in it, so that each is accepted once for five weeks",
)
ARCHIVE_COMMITS = Family(
    "archive_commits",
    "hash",
    "durable",
    None,
    "until the file has its name; a bounded number",
    "archive file → name it gets, between the commit and the rename",
)
UNSETTLED = Family(
    "unsettled",
    "zset",
    "durable",
    None,
    "until the cardholder's uses are settled, within seconds",
    "cardholder ids whose events may change a use, scored by when that began",
    personal=True,
)
USES_DUE = Family(
    "uses_due",
    "zset",
    "durable",
    None,
    "until the activation is spent, released or lapses",
    "cardholder and item of each use that lapses, scored by when",
    personal=True,
)
BUDGET = Family(
    "budget",
    "hash",
    "durable",
    None,
    "until the item has been gone for the retention time",
    "one item: uses and minor units, in total and on each day",
)
BUDGETS_SPENT = Family(
    "budgets_spent",
    "zset",
    "durable",
    None,
    "until the budget has room again; one entry an item",
    "items whose budget is used up, scored by when that ends",
)
ERASURE_KEY = Family(
    "erasure_key", "string", "durable", None, "for ever; one value", "key of the erased ids' hashes"
)
ERASED = Family(
    "erased",
    "hash",
    "durable",
    None,
    "for ever: older backups and bundles may still name the cardholder",
    "keyed hash of an erased cardholder's id → receipt; no id in clear",
)
NOTICE = Family(
    "notice",
    "hash",
    "durable",
    None,
    "until the next version replaces it",
    "the privacy notice in force and its version",
)
AUDIT = Family(
    "audit",
    "stream",
    "durable",
    3 * 365 * DAY_SECONDS,
    "three years",
    "hash-chained entries: who did what, when, to which pseudonym",
)
MODEL_ON_RECORD = Family(
    "model_on_record",
    "string",
    "durable",
    None,
    "for ever; one version",
    "the version that the audit log last told to be current",
)
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
PUSH_OUTBOX = Family(
    "push_outbox",
    "stream",
    "durable",
    7 * DAY_SECONDS,
    "until judged; each batch is deleted when it is",
    "batches of pushes that wait to be judged and sent",
    personal=True,
)
PUSHES_DEAD = Family(
    "pushes_dead",
    "stream",
    "durable",
    30 * DAY_SECONDS,
    "thirty days, and at most a bounded number",
    "batches of the outbox that cannot be read, with the reason",
    personal=True,
)
PUSHES_WAITING = Family(
    "pushes_waiting",
    "zset",
    "durable",
    7 * DAY_SECONDS,
    "until the cardholder's quiet hours end",
    "pushes held over quiet hours, scored by when to ask again",
    personal=True,
)
PUSH_GATEWAY = Family(
    "push_gateway",
    "stream",
    "durable",
    7 * DAY_SECONDS,
    "seven days; the dispatcher trims it",
    "pushes for the issuer's gateway, each once by its id",
    personal=True,
)
PUSH_LOG = Family(
    "push_log",
    "zset",
    "durable",
    35 * DAY_SECONDS,
    "35 days from the last push",
    "one cardholder: pushes that left, scored by when",
    personal=True,
)
AUDIENCE_ANSWERS = Family(
    "audience_answers",
    "stream",
    "durable",
    30 * DAY_SECONDS,
    "thirty days, and at most a bounded number",
    "sketches of audiences that were asked for and what was answered; no cardholders",
)
WEBHOOKS = Family(
    "webhooks",
    "hash",
    "durable",
    None,
    "until it is deleted",
    "webhook id → address, signing secret, whether it is switched off and why",
)
WEBHOOK_DUE = Family(
    "webhook_due",
    "zset",
    "durable",
    7 * DAY_SECONDS,
    "until delivered or given up",
    "one webhook: push ids scored by when to try next",
)
WEBHOOK_DELIVERY = Family(
    "webhook_delivery",
    "hash",
    "durable",
    7 * DAY_SECONDS,
    "seven days from when the push left",
    "one webhook and push: its place in the gateway's stream, attempts, last answer",
)

TABLE = (
    API_KEYS,
    API_KEYS_VERSION,
    ISSUERS,
    CATALOG,
    CATALOG_STATE,
    CATALOG_CHANGES,
    CATALOG_LIST,
    CARDHOLDER,
    SERVES,
    IDEMPOTENCY,
    IDEMPOTENCY_OF,
    EVENTS,
    EVENTS_DEAD,
    EVENTS_SEEN,
    ARCHIVE_COMMITS,
    UNSETTLED,
    USES_DUE,
    BUDGET,
    BUDGETS_SPENT,
    ERASURE_KEY,
    ERASED,
    NOTICE,
    AUDIT,
    MODEL_ON_RECORD,
    CAMPAIGNS,
    HOLDOUT_KEY,
    CAMPAIGN_ROSTER,
    CAMPAIGN_QUEUED,
    CAMPAIGN_PUSHES,
    CAMPAIGN_REVIEW,
    PUSH_OUTBOX,
    PUSHES_DEAD,
    PUSHES_WAITING,
    PUSH_GATEWAY,
    PUSH_LOG,
    AUDIENCE_ANSWERS,
    WEBHOOKS,
    WEBHOOK_DUE,
    WEBHOOK_DELIVERY,
)

OF_ONE_CARDHOLDER = (CARDHOLDER, PUSH_LOG)
"""Families whose key ends in a cardholder's id: gone whole when he is erased."""
