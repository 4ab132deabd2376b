"""The shelves of all issuers under one folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from embeddings.catalog.text import ID_PATTERN
from embeddings.shelf import Shelf


class Shelves:
    """Finds the shelf of an issuer.

    Parameters
    ----------
    root : folder with one folder an issuer
    trusted : when given, only bundles signed by one of these keys are opened
    """

    def __init__(self, root: Path, trusted: Sequence[Ed25519PublicKey] = ()) -> None:
        self._root = root
        self._trusted = tuple(trusted)

    def issuers(self) -> frozenset[str]:
        """Issuers that have a folder; none when the root is not there."""
        if not self._root.is_dir():
            return frozenset()
        names = (path.name for path in self._root.iterdir() if path.is_dir())
        return frozenset(name for name in names if re.fullmatch(ID_PATTERN[1:-1], name))

    def of(self, issuer_id: str) -> Shelf:
        """The shelf of one issuer, whether or not anything stands on it."""
        return Shelf(self._root, issuer_id, trusted=self._trusted)
