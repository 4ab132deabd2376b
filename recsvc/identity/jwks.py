"""A provider's public keys (RFC 7517): read in the background, believed for a limited time.

Nothing in a token leads to a request: an unknown key id only asks for an early look at the one
configured place, at most once a minute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from types import MappingProxyType
from typing import Any

import jwt

from embeddings.errors import KeyTwiceError, NotJsonError
from embeddings.strict_json import read_strictly
from recsvc.identity.fetching import NotFetchedError, fetched
from recsvc.identity.providers import Provider
from recsvc.logs import Log
from recsvc.metrics import Metrics

UNKNOWN_KEY_PAUSE_SECONDS = 60.0
FAILURE_PAUSE_SECONDS = 15.0
MOST_BYTES = 64 * 1024
MOST_KEYS = 64
LEAST_RSA_BITS = 2048
FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


class KeysUnreadableError(Exception):
    """The place of a provider's keys gives none that can be used."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key and the algorithms it may be used with."""

    key: Any
    algorithms: frozenset[str]


class KeySource:
    """The keys of one provider.

    Parameters
    ----------
    provider : whose
    monotonic : a clock that never jumps, in seconds
    log, metrics : where failures are told
    """

    def __init__(
        self, provider: Provider, monotonic: Callable[[], float], log: Log, metrics: Metrics
    ) -> None:
        self.provider = provider
        self._monotonic = monotonic
        self._log = log
        self._metrics = metrics
        self._keys: Mapping[str, SigningKey] = MappingProxyType({})
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._is_wanted = False
        self._is_failing = False

    @property
    def is_believed(self) -> bool:
        """Whether keys were read recently enough."""
        ttl = self.provider.ttl_seconds
        return self._read_at is not None and self._monotonic() - self._read_at < ttl

    @property
    def keys(self) -> Mapping[str, SigningKey]:
        """Keys by id; none once they are too old. Another object after each change."""
        return self._keys if self.is_believed else MappingProxyType({})

    def want(self) -> None:
        """Tell that a key id was not among the keys; may bring the next look forward."""
        self._is_wanted = True

    def look(self) -> None:
        """Read the keys anew when it is time; a failure leaves the ones there are."""
        if not self._is_due():
            return
        self._tried_at, self._is_wanted = self._monotonic(), False
        try:
            keys = keys_of(self._document(), self.provider.algorithms)
        except (KeysUnreadableError, NotFetchedError, OSError, HTTPException, ValueError) as error:
            self._failed(error)
            return
        if self._is_failing:
            self._is_failing = False
            self._log.info("identity_keys_back", issuer_id=self.provider.issuer_id)
        self._keys, self._read_at = keys, self._monotonic()

    def _is_due(self) -> bool:
        if self._tried_at is None:
            return True
        since = self._monotonic() - self._tried_at
        if self._is_failing:
            return since >= FAILURE_PAUSE_SECONDS
        if self._is_wanted and since >= UNKNOWN_KEY_PAUSE_SECONDS:
            return True
        return since >= self.provider.refresh_seconds

    def _failed(self, error: Exception) -> None:
        self._metrics.happened("identity_keys_unreadable")
        if not self._is_failing:
            self._is_failing = True
            self._log.warning(
                "identity_keys_unreadable",
                issuer_id=self.provider.issuer_id,
                kind=type(error).__name__,
            )

    def _document(self) -> bytes:
        """Bytes of the key set; at most 64 KiB, no redirect followed, no proxy asked, and soon."""
        if self.provider.jwks_file is not None:
            return self.provider.jwks_file.read_bytes()[: MOST_BYTES + 1]
        return fetched(str(self.provider.jwks_url), MOST_BYTES)


def keys_of(document: bytes, algorithms: tuple[str, ...]) -> Mapping[str, SigningKey]:
    """Usable keys of a JWK set by their ids.

    Parameters
    ----------
    document : JSON of RFC 7517, section 5
    algorithms : those that the provider signs with

    Raises
    ------
    KeysUnreadableError
        when it is too large, no key set, or holds no usable key, or two keys of one id
    """
    if len(document) > MOST_BYTES:
        raise KeysUnreadableError(f"more than {MOST_BYTES} bytes")
    try:
        listed = read_strictly(document)["keys"]
    except (NotJsonError, KeyTwiceError, KeyError, TypeError):
        raise KeysUnreadableError("no JWK set") from None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise KeysUnreadableError("no list of keys")
    keys: dict[str, SigningKey] = {}
    for jwk in listed:
        kid, key = _usable(jwk, algorithms)
        if key is not None and kid in keys:
            raise KeysUnreadableError("two keys of one id")
        if key is not None:
            keys[kid] = key
    if not keys:
        raise KeysUnreadableError("no usable key")
    return MappingProxyType(keys)


def _usable(jwk: object, algorithms: tuple[str, ...]) -> tuple[str, SigningKey | None]:
    """Id and key of one entry; None for one that does not sign, or not with these algorithms."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
        return "", None
    fitting = frozenset(one for one in algorithms if _fits(jwk, one))
    if jwk.get("use", "sig") != "sig" or not fitting or "d" in jwk:
        return jwk["kid"], None
    try:
        key = jwt.PyJWK(jwk, algorithm=min(fitting)).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return jwk["kid"], None
    if getattr(key, "key_size", LEAST_RSA_BITS) < LEAST_RSA_BITS and jwk["kty"] == "RSA":
        return jwk["kid"], None
    return jwk["kid"], SigningKey(key, fitting)


def _fits(jwk: Mapping[str, object], algorithm: str) -> bool:
    """Whether a key is of the family and curve of an algorithm, and made for it."""
    family = FAMILIES.get(algorithm[:2])
    right_curve = algorithm not in CURVES or jwk.get("crv") == CURVES[algorithm]
    return jwk.get("kty") == family and right_curve and jwk.get("alg", algorithm) == algorithm
