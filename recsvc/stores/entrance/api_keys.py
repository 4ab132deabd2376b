"""API keys: a public id and a 256-bit secret, of which only the sha256 is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import orjson
import redis

from recsvc.stores.codec import OPTIONS, decode_instant
from recsvc.stores.connection.client import Connection, field_of, hash_of
from recsvc.stores.keys.access import API_KEYS, API_KEYS_VERSION, ISSUERS
from recsvc.stores.keys.family import EVERY_ISSUER

PREFIX = "rsk"
SCOPES = (
    "rec:read",
    "events:write",
    "catalog:write",
    "campaigns:write",
    "audiences:export",
    "models:write",
    "privacy:admin",
    "audit:read",
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key; the secret is not."""

    key_id: str
    issuer_id: str
    scopes: frozenset[str]
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens_with(self, secret: str) -> bool:
        """Whether this is the key's secret, in a time that tells nothing."""
        return hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), self.secret_sha256)

    def is_live(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def split_key(presented: str) -> tuple[str, str] | None:
    """Key id and secret of a presented key, or None when it has not the form of one."""
    parts = presented.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or not presented.isascii() or len(presented) > 128:
        return None
    return parts[1], parts[2]


class ApiKeyStore:
    """Creates, lists and revokes keys in the durable store."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def create(
        self,
        issuer_id: str,
        scopes: Iterable[str],
        *,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; returns what is kept and the key itself, which is shown only now.

        Raises
        ------
        ValueError
            for a scope that does not exist, or none
        """
        key, shown = self.drawn(issuer_id, scopes, now=now, expires_at=expires_at)
        self.keep(key)
        return key, shown

    @staticmethod
    def drawn(
        issuer_id: str,
        scopes: Iterable[str],
        *,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key, not kept yet, and what is shown of it; ValueError as for `create`."""
        wanted = frozenset(scopes)
        unknown = sorted(wanted.difference(SCOPES))
        if unknown or not wanted:
            raise ValueError(f"scopes must be some of {', '.join(SCOPES)}")
        key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
        digest = hashlib.sha256(secret.encode()).digest()
        key = ApiKey(key_id, issuer_id, wanted, digest, created_at=now, expires_at=expires_at)
        return key, f"{PREFIX}_{key_id}_{secret}"

    def get(self, key_id: str) -> ApiKey | None:
        """What is kept of a key; None when there is none of this id."""
        stored = self._durable.ask_patiently(
            lambda store: field_of(store, API_KEYS.key(EVERY_ISSUER), key_id)
        )
        return None if stored is None else _decode(key_id, stored)

    def revoke(self, key_id: str, *, now: datetime) -> ApiKey | None:
        """Revoke a key; None when there is none of this id."""
        key = self.get(key_id)
        if key is None:
            return None
        gone = replace(key, revoked_at=key.revoked_at or now)
        self.keep(gone)
        return gone

    def all(self) -> dict[str, ApiKey]:
        """Every key by its id."""
        stored = self._durable.ask_patiently(
            lambda store: hash_of(store, API_KEYS.key(EVERY_ISSUER))
        )
        return {key_id.decode(): _decode(key_id.decode(), v) for key_id, v in stored.items()}

    def version(self) -> int:
        """A number that grows with each change of any key; StoreAwayError without an answer."""
        found = self._durable.ask_patiently(
            lambda store: cast("bytes | None", store.get(API_KEYS_VERSION.key(EVERY_ISSUER)))
        )
        return int(found or 0)

    def keep(self, key: ApiKey) -> None:
        """Keep a key in place of the one of its id; workers learn of it within a second."""

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=True)
            pipeline.hset(API_KEYS.key(EVERY_ISSUER), key.key_id, _encode(key))
            pipeline.sadd(ISSUERS.key(EVERY_ISSUER), key.issuer_id)
            pipeline.incr(API_KEYS_VERSION.key(EVERY_ISSUER))
            pipeline.execute()

        self._durable.ask_patiently(write)


def _encode(key: ApiKey) -> bytes:
    document = {
        "issuer_id": key.issuer_id,
        "scopes": sorted(key.scopes),
        "secret_sha256": key.secret_sha256.hex(),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
    return orjson.dumps(document, option=OPTIONS)


def _decode(key_id: str, stored: bytes) -> ApiKey:
    document: dict[str, Any] = orjson.loads(stored)
    return ApiKey(
        key_id,
        document["issuer_id"],
        frozenset(document["scopes"]),
        bytes.fromhex(document["secret_sha256"]),
        created_at=datetime.fromisoformat(document["created_at"]),
        expires_at=decode_instant(document["expires_at"]),
        revoked_at=decode_instant(document["revoked_at"]),
    )
