"""A signed note on each served item, so that what follows can be attributed to that very place.

Form: ``base64url(JSON array) . base64url(keyed BLAKE2b-128, RFC 7693)``. Issuer and cardholder
are signed but not written, so a token is worth nothing beside another cardholder's id.
"""

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

import orjson

from recsvc.domain.errors import InvalidError

VERSION = 1
MAC_BYTES = 16
MAX_LENGTH = 1024


class Serve(NamedTuple):
    """One item at one place of one list.

    Parameters
    ----------
    request_id, item_id : str
    rank : int                   from 1
    source : str
    propensity : float           within (0, 1]
    model_version : str, optional
    catalog_version : str
    placement : str, optional
    ranking : str                name of the ranking that made the list
    served_at : int              seconds since 1970-01-01 UTC
    """

    request_id: str
    item_id: str
    rank: int
    source: str
    propensity: float
    model_version: str | None
    catalog_version: str
    placement: str | None
    ranking: str
    served_at: int


def encode(serve: Serve, key: bytes, issuer_id: str, cardholder_id: str) -> str:
    """Token of a serve, ASCII, at most 1024 characters for ids within their limits."""
    body = orjson.dumps([VERSION, *serve])
    return _text(body) + "." + _text(_mac(body, key, issuer_id, cardholder_id))


def decode(token: str, key: bytes, issuer_id: str, cardholder_id: str) -> Serve:
    """Serve of a token that was made with this key for this issuer's cardholder.

    Raises
    ------
    InvalidError
        The token is malformed, was altered, or was made for another issuer or cardholder.
    """
    body, _, mac = token.partition(".")
    refused = InvalidError("serve_token", "not a token made for this cardholder; send it as served")
    if len(token) > MAX_LENGTH:
        raise refused
    try:
        raw, given = _bytes(body), _bytes(mac)
    except (binascii.Error, ValueError):
        raise refused from None
    if not hmac.compare_digest(given, _mac(raw, key, issuer_id, cardholder_id)):
        raise refused
    version, *fields = orjson.loads(raw)
    if version != VERSION:
        raise InvalidError("serve_token", f"version {version}, this service reads {VERSION}")
    return Serve(*fields)


def _mac(body: bytes, key: bytes, issuer_id: str, cardholder_id: str) -> bytes:
    bound = b"\x1f".join((body, issuer_id.encode(), cardholder_id.encode()))
    return hashlib.blake2b(bound, digest_size=MAC_BYTES, key=key[:64]).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
