"""Cursors of lists: opaque to the caller, and only good where they were made."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeVar

from recsvc.api.http.parsing import refuse
from recsvc.api.http.problems import FieldFault

SEAL_BYTES = 12
Row = TypeVar("Row")


class Cursors:
    """Seals and opens positions in lists.

    Parameters
    ----------
    secret : shared by all workers
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret, digest_size=32, person=b"recsvc-cursors").digest()

    def seal(self, issuer_id: str, listed: str, position: str) -> str:
        """Cursor that continues an issuer's list after a position."""
        sealed = position.encode() + self._seal(issuer_id, listed, position)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, issuer_id: str, listed: str, cursor: str | None) -> str | None:
        """Position of a cursor, None for none; 422 unless it was made for this very list."""
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            position = sealed[:-SEAL_BYTES].decode()
        except (binascii.Error, ValueError):
            raise refuse((BAD_CURSOR,)) from None
        if not hmac.compare_digest(sealed[-SEAL_BYTES:], self._seal(issuer_id, listed, position)):
            raise refuse((BAD_CURSOR,))
        return position

    def page(
        self,
        issuer_id: str,
        listed: str,
        rest: Sequence[Row],
        limit: int,
        position: Callable[[Row], str],
    ) -> tuple[Sequence[Row], str | None]:
        """The first rows of what comes after a cursor, and the cursor of the page behind them.

        Parameters
        ----------
        listed : name of the list, as it was opened
        rest : rows in the order of the list, one more than the limit at least where there are more
        position : of a row; what opening the cursor gives back

        Returns
        -------
        Rows, at most so many; None for the cursor of the last page.
        """
        shown = rest[:limit]
        if len(rest) <= limit:
            return shown, None
        return shown, self.seal(issuer_id, listed, position(shown[-1]))

    def _seal(self, issuer_id: str, listed: str, position: str) -> bytes:
        text = "\x00".join((issuer_id, listed, position)).encode()
        return hmac.digest(self._key, text, "sha256")[:SEAL_BYTES]


BAD_CURSOR = FieldFault(
    pointer="query/cursor",
    code="bad_cursor",
    message="Was not made for this list; use next_cursor of the page before, unchanged.",
)
