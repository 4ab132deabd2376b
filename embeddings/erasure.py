"""Who was erased, told to the trainer without naming anybody.

A cardholder's right to be forgotten holds in every later bundle: serving keeps a list of keyed
hashes, training leaves out every row whose cardholder is on it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from embeddings.errors import EmbeddingsError
from embeddings.keyed_list import Document, ListKind, checked_hash

FILE_NAME = "erased.json"


class ErasedListError(EmbeddingsError):
    """A list of erased cardholders is not usable; the message names the file and the fault."""


KIND = ListKind(
    format=1,
    told="erased cardholders",
    remedy="write it with: recsvc erasure list",
    refusal=ErasedListError,
)


def erased_hashes(key: bytes, cardholder_ids: Iterable[str]) -> list[str]:
    """:func:`erased_hash` of each of many ids, which takes the key in once."""
    keyed, found = hashlib.blake2b(digest_size=16, key=key), []
    for cardholder_id in cardholder_ids:
        one = keyed.copy()
        one.update(cardholder_id.encode())
        found.append(one.hexdigest())
    return found


def erased_hash(key: bytes, cardholder_id: str) -> str:
    """BLAKE2b-128 (RFC 7693) of an id under a key of at most 64 bytes, in hexadecimal digits."""
    return hashlib.blake2b(cardholder_id.encode(), digest_size=16, key=key).hexdigest()


@dataclass(frozen=True, slots=True)
class ErasedList:
    """The erased cardholders of one issuer.

    Parameters
    ----------
    issuer_id : str
    key : bytes               what the hashes were made with
    hashes : frozenset of str
    """

    issuer_id: str
    key: bytes
    hashes: frozenset[str]

    def covers(self, cardholder_id: str) -> bool:
        """Whether this cardholder was erased."""
        return erased_hash(self.key, cardholder_id) in self.hashes

    def erased_of(self, cardholder_ids: Iterable[str]) -> frozenset[str]:
        """Those of these cardholders who were erased."""
        if not self.hashes:
            return frozenset()
        return frozenset(one for one in cardholder_ids if self.covers(one))

    def write(self, path: Path) -> None:
        """Write the list whole, or leave the file as it was."""
        KIND.write(path, self.issuer_id, self.key, {"hashes": sorted(self.hashes)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """List of a file.

        Raises
        ------
        ErasedListError
            Names the file and what is wrong. A list that cannot be read must stop a training.
        """
        return KIND.read(path, cls._of)

    @classmethod
    def _of(cls, issuer_id: str, key: bytes, document: Document) -> Self:
        """List of a document; ValueError, KeyError or TypeError when it is none."""
        hashes = document["hashes"]
        if not isinstance(hashes, list):
            raise TypeError("hashes are no list")
        return cls(issuer_id, key, frozenset(map(checked_hash, hashes)))
