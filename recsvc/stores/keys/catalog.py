"""What may be recommended, and what is left of its budgets."""

from recsvc.stores.keys.family import Family

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
ALLIANCES = Family(
    "alliances",
    "set",
    "durable",
    None,
    "until the operator closes it; one id an alliance",
    "issuers whose catalogue others may take beside their own",
)
ALLIANCES_JOINED = Family(
    "alliances_joined",
    "set",
    "durable",
    None,
    "until the issuer leaves; one id an alliance",
    "alliances whose catalogue this issuer takes beside his own",
)

FAMILIES = (
    CATALOG,
    CATALOG_STATE,
    CATALOG_CHANGES,
    CATALOG_LIST,
    BUDGET,
    BUDGETS_SPENT,
    ALLIANCES,
    ALLIANCES_JOINED,
)
