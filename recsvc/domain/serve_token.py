"""A signed note on each served item, so that what follows can be attributed to that very place.

Form: base64url of a JSON array and, behind it, 16 bytes that sign it. Issuer and cardholder are
signed but not written, so a token is worth nothing beside another cardholder's id. What all items
of a list share stands first, up to the array's last blank, and is spelled and hashed once a list:
keyed BLAKE2b (RFC 7693) makes a key of the list from it, and BLAKE2b over that key and what is the
item's own signs the place.
"""

import base64
import hmac
from binascii import b2a_base64
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import orjson

from recsvc.domain.errors import InvalidError

VERSION = 2
MAC_BYTES = 16
LIST_KEY_BYTES = 32
MAX_LENGTH = 1024
URL_SAFE = bytes.maketrans(b"+/", b"-_")


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


class Tokens:
    """Makes the tokens of one list.

    Parameters
    ----------
    key : bytes
        At most 64 of them count.
    issuer_id, cardholder_id : str
    request_id, model_version, catalog_version, placement, ranking, served_at : as in Serve
    """

    __slots__ = ("_key", "_opening")

    def __init__(  # noqa: PLR0913 - what a list's serves share, by name
        self,
        key: bytes,
        issuer_id: str,
        cardholder_id: str,
        *,
        request_id: str,
        model_version: str | None,
        catalog_version: str,
        placement: str | None,
        ranking: str,
        served_at: int,
    ) -> None:
        shared = (request_id, model_version, catalog_version, placement, ranking, served_at)
        opening = orjson.dumps((VERSION, *shared))[:-1] + b","
        opening += b" " * (3 - len(opening) % 3)  # whole groups of base64, and one blank at least
        self._opening = _text(opening)
        self._key = _list_key(key, issuer_id, cardholder_id, opening)

    def of_all(self, places: Iterable[tuple[str, int, str, float]]) -> list[str]:
        """Tokens of places, each ASCII, at most 1024 characters for ids within their limits.

        Parameters
        ----------
        places : item id, rank, source and propensity of each
        """
        opening, key, dumps = self._opening, self._key, orjson.dumps
        tokens = []
        for (
            place
        ) in places:  # as `_mac` and base64url, without more frames: ten times in every list
            rest = dumps(place)[1:]
            signed = rest + blake2b(key + rest, digest_size=MAC_BYTES).digest()
            text = b2a_base64(signed, newline=False).translate(URL_SAFE).rstrip(b"=")
            tokens.append(opening + text.decode("ascii"))
        return tokens


def decode(token: str, key: bytes, issuer_id: str, cardholder_id: str) -> Serve:
    """Serve of a token that was made with this key for this issuer's cardholder.

    Raises
    ------
    InvalidError
        The token is malformed, was altered, or was made for another issuer or cardholder.
    """
    refused = InvalidError("serve_token", "not a token made for this cardholder; send it as served")
    if len(token) > MAX_LENGTH:
        raise refused
    try:
        raw = _bytes(token)
    except ValueError:
        raise refused from None
    body, given = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    opening, blank, rest = body.rpartition(b" ")
    list_key = _list_key(key, issuer_id, cardholder_id, opening + blank)
    if not hmac.compare_digest(given, _mac(list_key, rest)):
        raise refused
    version, request_id, *shared, item_id, rank, source, propensity = orjson.loads(body)
    if version != VERSION:
        raise InvalidError("serve_token", f"version {version}, this service reads {VERSION}")
    return Serve(request_id, item_id, rank, source, propensity, *shared)


def is_of(token: str, key: bytes, issuer_id: str, cardholder_id: str, item_id: str | None) -> bool:
    """Whether a token was made with this key for this item in a list of this cardholder."""
    try:
        return decode(token, key, issuer_id, cardholder_id).item_id == item_id
    except InvalidError:
        return False


def _list_key(key: bytes, issuer_id: str, cardholder_id: str, opening: bytes) -> bytes:
    """What signs the places of one list."""
    bound = f"{issuer_id}\x1f{cardholder_id}\x1f".encode()
    return blake2b(bound + opening, digest_size=LIST_KEY_BYTES, key=key[:64]).digest()


def _mac(list_key: bytes, rest: bytes) -> bytes:
    return blake2b(list_key + rest, digest_size=MAC_BYTES).digest()


def _text(raw: bytes) -> str:
    """Whole groups of three bytes as base64url."""
    return b2a_base64(raw, newline=False).translate(URL_SAFE).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
