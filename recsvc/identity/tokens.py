"""Bearer tokens (RFC 7519, profile RFC 9068): from a signed text to who asks, or nothing."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt

from recsvc.api.http.auth import Caller
from recsvc.identity.jwks import KeySource, SigningKey
from recsvc.stores.entrance.api_keys import SCOPES

LEADS_ASTRAY = frozenset(("crit", "jku", "jwk", "x5u", "x5c", "zip", "b64"))
"""Headers that ask the reader to do or to fetch something; no token of ours needs one."""
TYPES = frozenset(("jwt", "at+jwt", "application/at+jwt"))
MOST_REMEMBERED = 4096
UNCHECKED = {
    "verify_signature": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was found good, by which key, and for how long it is."""

    caller: Caller
    key: SigningKey
    key_id: str
    source: KeySource
    begins: float
    ends: float


class TokenCredentials:
    """Tokens of the configured providers; answers `Credentials`. Fails closed.

    Parameters
    ----------
    sources : the keys of each provider
    clock : aware now
    """

    def __init__(self, sources: Sequence[KeySource], clock: Callable[[], datetime]) -> None:
        self._sources = {source.provider.iss: source for source in sources}
        self._clock = clock
        self._verified: dict[str, _Verified] = {}

    def recognises(self, token: str) -> bool:
        """Whether the text has the form of a signed token, and anyone may send one."""
        return bool(self._sources) and token.count(".") == 2

    def caller_of(self, token: str) -> Caller | None:
        """Who presents this token; None unless everything about it is right."""
        known = self._verified.get(token)
        if known is None:
            known = self._check(token)
            if known is None:
                return None
            self._remember(token, known)
        is_in_time = known.begins <= self._clock().timestamp() < known.ends
        is_signed = known.source.keys.get(known.key_id) == known.key
        if not (is_in_time and is_signed):
            self._verified.pop(token, None)
            return None
        return known.caller

    def _remember(self, token: str, verified: _Verified) -> None:
        if len(self._verified) >= MOST_REMEMBERED:
            self._verified.clear()
        self._verified[token] = verified

    def _check(self, token: str) -> _Verified | None:
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options=UNCHECKED)  # type: ignore[arg-type]
            source = self._sources.get(claimed.get("iss", ""))
            if source is None or not is_plain(header):
                return None
            key = self._key(source, header)
            if key is None:
                return None
            return _verify(token, header, key, source)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None

    def _key(self, source: KeySource, header: Mapping[str, Any]) -> SigningKey | None:
        """The key a token names, when it is made for the token's algorithm."""
        key = source.keys.get(header["kid"])
        if key is None:
            source.want()
            return None
        return key if header["alg"] in key.algorithms else None


def is_plain(header: Mapping[str, Any]) -> bool:
    """Whether a header says which key and algorithm, and asks for nothing else."""
    if not LEADS_ASTRAY.isdisjoint(header):
        return False
    kid, alg, kind = header.get("kid"), header.get("alg"), header.get("typ", "JWT")
    if not (isinstance(kid, str) and isinstance(alg, str) and isinstance(kind, str)):
        return False
    return kind.lower() in TYPES


def _verify(
    token: str, header: Mapping[str, Any], key: SigningKey, source: KeySource
) -> _Verified | None:
    """The token as verified; PyJWTError for a wrong signature, issuer, audience or claim."""
    provider = source.provider
    claims = jwt.decode(
        token,
        key=key.key,
        algorithms=[header["alg"]],
        audience=provider.audience,
        issuer=provider.iss,
        options={
            "require": ["exp", "iss", "aud", "sub"],
            "verify_exp": False,  # with our own clock, below
            "verify_nbf": False,
            "verify_iat": False,
        },
    )
    starts = max(instant_of(claims, "nbf", -math.inf), instant_of(claims, "iat", -math.inf))
    ends = instant_of(claims, "exp", -math.inf)
    return _Verified(
        Caller(provider.issuer_id, _scopes(claims, provider.scopes_claim), _stand_in(claims)),
        key,
        header["kid"],
        source,
        starts - provider.leeway_seconds,
        ends + provider.leeway_seconds,
    )


def instant_of(claims: Mapping[str, Any], name: str, absent: float) -> float:
    """Seconds since 1970 of a claim; ValueError for one that is no finite number."""
    value = claims.get(name, absent)
    if name not in claims:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}: no number")
    return float(value)


def _scopes(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Scopes of ours that a token grants; others are nobody's business here."""
    given = claims.get(name, "")
    words = given.split() if isinstance(given, str) else given
    if not isinstance(words, list):
        raise TypeError(name)
    return frozenset(word for word in words if isinstance(word, str)).intersection(SCOPES)


def _stand_in(claims: Mapping[str, Any]) -> str:
    """A short name for whoever the token is of, that tells nothing of him."""
    whole = f"{claims['iss']}\x00{claims['sub']}".encode()
    return "tok-" + hashlib.blake2b(whole, digest_size=9).hexdigest()
