"""Who may ask: keys, the notice in force, what was done."""

from recsvc.stores.keys.family import Family

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
    None,
    "for ever: three years are asked for, and a chain that lost its beginning cannot be verified",
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

FAMILIES = (API_KEYS, API_KEYS_VERSION, ISSUERS, NOTICE, AUDIT, MODEL_ON_RECORD)
