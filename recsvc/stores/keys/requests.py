"""What was served, and answers kept for replays."""

from recsvc.stores.keys.family import DAY_SECONDS, Family

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

FAMILIES = (SERVES, IDEMPOTENCY, IDEMPOTENCY_OF)
