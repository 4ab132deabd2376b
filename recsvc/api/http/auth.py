"""Who is asking: a credential becomes a caller, or the request ends here.

The issuer is the credential's and never the body's. Each kind of credential is a `Credentials`;
the gate asks them in order.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from flask import Request

from recsvc.api.http.problems import ProblemError
from recsvc.api.http.rates import RateLimits
from recsvc.stores.entrance.api_keys import ApiKey, split_key

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="recsvc"'}
LONGEST_TOKEN = 8192
QUERY_KEYS = frozenset(("api_key", "apikey", "key", "token", "access_token", "authorization"))
KEY_PARTS = re.compile(rb"key|token|authorization|%", re.IGNORECASE)
"""One of these is in every query with one of those names; a name may be written in percents."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for which issuer, and what he may do."""

    issuer_id: str
    scopes: frozenset[str]
    credential_id: str


class Credentials(Protocol):
    """One kind of credential."""

    def recognises(self, token: str) -> bool:
        """Whether the token has the form of this kind."""

    def caller_of(self, token: str) -> Caller | None:
        """Who presents this token, or None when it opens nothing."""


class _Held(NamedTuple):
    """Keys as the store told them, and those of them that somebody has opened since."""

    keys: Mapping[str, ApiKey]
    opened: dict[str, tuple[ApiKey, Caller]]


class KeyRing:
    """API keys as the watcher last saw them; answers `Credentials`.

    A key that has opened is known again by the text presented, until the watcher brings other
    keys: texts that open nothing are never kept.

    Parameters
    ----------
    clock : aware now, for expiry
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._held: _Held | None = None

    @property
    def issuers(self) -> frozenset[str]:
        """Issuers that have a key."""
        keys = self._held.keys.values() if self._held else ()
        return frozenset(key.issuer_id for key in keys)

    def replace(self, keys: Mapping[str, ApiKey]) -> None:
        """Take these keys in place of all others."""
        self._held = _Held(keys, {})

    def recognises(self, token: str) -> bool:
        """Whether the token has the form of an API key."""
        return token.startswith("rsk_")

    def caller_of(self, token: str) -> Caller | None:
        """Who presents this key; None when it is unknown, wrong, revoked or expired.

        Raises
        ------
        ProblemError
            503 while no key could be read from the store, so that nobody is told he has none
        """
        held = self._held
        if held is None:
            raise ProblemError(
                503,
                "credentials_unavailable",
                "Keys cannot be checked yet; retry.",
                headers={"Retry-After": "1"},
            )
        found = held.opened.get(token) or _opened(held, token)
        if found is None:
            return None
        key, caller = found
        lasts = key.expires_at is None and key.revoked_at is None
        return caller if lasts or key.is_live(self._clock()) else None


def _opened(held: _Held, token: str) -> tuple[ApiKey, Caller] | None:
    """The key that a token opens, live or not, and its caller."""
    parts = split_key(token)
    key = held.keys.get(parts[0]) if parts else None
    if key is None or parts is None or not key.opens_with(parts[1]):
        return None
    found = key, Caller(key.issuer_id, key.scopes, key.key_id)
    held.opened[token] = found
    return found


class Gate:
    """Lets a request in as a caller, or refuses it.

    Parameters
    ----------
    kinds : kinds of credentials, asked in order
    rates : how often each may be used
    """

    def __init__(self, kinds: Sequence[Credentials], rates: RateLimits) -> None:
        self._kinds = tuple(kinds)
        self._rates = rates

    def admit(self, request: Request, scope: str) -> Caller:
        """Caller of a request that may use this scope.

        Raises
        ------
        ProblemError
            401 without one good credential, 403 without the scope, 429 when used too often
        """
        return self.let_in(bearer_token(request), scope)

    def let_in(self, token: str, scope: str) -> Caller:
        """Caller of a bearer token that may use this scope; raises as above."""
        caller = self._caller_of(token)
        if caller is None:
            raise unauthorised("The credential is unknown, revoked or expired.")
        if scope not in caller.scopes:
            raise ProblemError(403, "scope_missing", f"This needs the scope {scope}.")
        wait_seconds = self._rates.wait_of(caller.credential_id, scope)
        if wait_seconds:
            raise ProblemError(
                429,
                "rate_limited",
                f"This credential is used too often for {scope}; wait, then retry.",
                headers={"Retry-After": str(wait_seconds)},
            )
        return caller

    def _caller_of(self, token: str) -> Caller | None:
        for kind in self._kinds:
            if kind.recognises(token):
                return kind.caller_of(token)
        return None


def bearer_token(request: Request) -> str:
    """The one bearer token of a request; 401 for none, several, or one in the address."""
    if _may_name_a_key(request.query_string) and not QUERY_KEYS.isdisjoint(
        name.lower() for name in request.args
    ):
        raise unauthorised("Credentials in the address are refused; use the header.")
    return token_of(str(request.environ.get("HTTP_AUTHORIZATION", "")))


def token_of(given: str) -> str:
    """The one bearer token of an Authorization header; 401 for none or several."""
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
        raise unauthorised("Send one header: Authorization: Bearer <key>.")
    if "," in token or " " in token:  # two headers reach WSGI as one, joined by a comma
        raise unauthorised("Send exactly one Authorization header.")
    return token


def _may_name_a_key(query: bytes) -> bool:
    """Whether a query must be taken apart to know; few must, and that is half of reading it."""
    return KEY_PARTS.search(query) is not None


def unauthorised(detail: str) -> ProblemError:
    """The answer to a request without a good credential."""
    return ProblemError(401, "unauthorised", detail, headers=CHALLENGE)
