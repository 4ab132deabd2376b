"""Pushes from the outbox to the issuer's gateway."""

from recsvc.stores.keys.family import DAY_SECONDS, Family

PUSH_OUTBOX = Family(
    "push_outbox",
    "stream",
    "durable",
    7 * DAY_SECONDS,
    "until judged; each batch is deleted when it is",
    "batches of pushes that wait to be judged and sent",
    personal=True,
)
PUSH_TURN = Family(
    "push_turn",
    "string",
    "durable",
    5,
    "five seconds, or until the batch is done",
    "which dispatcher judges and sends now",
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

FAMILIES = (
    PUSH_OUTBOX,
    PUSH_TURN,
    PUSHES_DEAD,
    PUSHES_WAITING,
    PUSH_GATEWAY,
    PUSH_LOG,
    WEBHOOKS,
    WEBHOOK_DUE,
    WEBHOOK_DELIVERY,
)
