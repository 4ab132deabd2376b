"""What is known of cardholders, and who was erased."""

from recsvc.stores.keys.family import Family

CARDHOLDER = Family(
    "cardholder",
    "hash",
    "durable",
    None,
    "until the cardholder is erased",
    "profile, consent, recent events, items he dismissed or took, uses, deleted interests",
    personal=True,
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
DELETED_INTERESTS = Family(
    "deleted_interests",
    "hash",
    "durable",
    None,
    "each until the cardholder is erased: usage from before may be trained on again",
    "keyed hash of a cardholder's id and a column → when he deleted it last; no id in clear",
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

FAMILIES = (CARDHOLDER, ERASURE_KEY, ERASED, DELETED_INTERESTS, UNSETTLED, USES_DUE)
