"""Ids outside, rows inside: a sorted keyed hash and a binary search, never a dict.

All arrays can be memory-mapped, so two million ids cost a worker nothing of its own.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

MANY = 10_000
"""Rows from which on copying the text between them costs less than looking up row by row."""


class ColumnKind(StrEnum):
    """The kinds of things a cardholder can meet."""

    MERCHANT = "merchant"
    CATEGORY = "category"
    BENEFIT = "benefit"
    OFFER = "offer"


def column_id(kind: ColumnKind, outside_id: str) -> str:
    """Id of a column, e.g. ``merchant:m_12`` or ``category:5812``."""
    return f"{kind.value}:{outside_id}"


def split_column_id(column: str) -> tuple[ColumnKind, str]:
    """Inverse of :func:`column_id`; ValueError for a text that is none."""
    kind, _, outside_id = column.partition(":")
    return ColumnKind(kind), outside_id


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """A fixed set of ids and their rows. Rows ascend with the keyed hash of the id.

    Parameters
    ----------
    hashes : uint64, shape (n,)
        BLAKE2b-64 of each id under ``key``, ascending.
    offsets : int64, shape (n + 1,)
        Where each id's UTF-8 text begins in ``text``.
    text : uint8, shape (n_bytes,)
    key : bytes
        At most 64 bytes; part of the manifest. Keeps others from making ids that collide.
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    text: NDArray[np.uint8]
    key: bytes

    @classmethod
    def build(cls, ids: Iterable[str], key: bytes) -> Self:
        """Vocabulary of these ids; a repeated id is one row."""
        unique = [one.encode() for one in sorted({*ids})]
        hashes = _hashes(unique, key)
        order = np.argsort(hashes, kind="stable")
        encoded = [unique[i] for i in order.tolist()]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
        return cls(hashes[order], offsets, np.frombuffer(b"".join(encoded), np.uint8), key)

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Vocabulary of the rows that are kept, in their order.

        Parameters
        ----------
        kept : bool, shape (n,)
        """
        sizes = np.diff(self.offsets)
        offsets = np.zeros(int(np.count_nonzero(kept)) + 1, np.int64)
        np.cumsum(sizes[kept], out=offsets[1:])
        text = self.text[np.repeat(kept, sizes)]
        return type(self)(self.hashes[kept], offsets, text, self.key)

    def __len__(self) -> int:
        return int(self.hashes.size)

    def __iter__(self) -> Iterator[str]:
        return (self.id(row) for row in range(len(self)))

    def __contains__(self, outside_id: object) -> bool:
        return isinstance(outside_id, str) and self.row(outside_id) is not None

    def id(self, row: int) -> str:
        """Id of a row; IndexError outside ``0 ≤ row < n``."""
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a vocabulary of {len(self)}")
        start, end = self.offsets.item(row), self.offsets.item(row + 1)
        return self.text[start:end].tobytes().decode()

    def ids(self, rows: Iterable[int] | NDArray[np.integer]) -> list[str]:
        """Ids of several rows, in the order given; IndexError as :meth:`id`."""
        wanted = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), np.int64)
        if wanted.size < MANY:
            return [self.id(row) for row in wanted.tolist()]
        first, last = int(wanted.min()), int(wanted.max())
        if first < 0 or last >= len(self):
            raise IndexError(f"rows {first} to {last} of a vocabulary of {len(self)}")
        begin = self.offsets[first]
        text = self.text[begin : self.offsets[last + 1]].tobytes()
        starts = (self.offsets[wanted] - begin).tolist()
        ends = (self.offsets[wanted + 1] - begin).tolist()
        return [text[start:end].decode() for start, end in zip(starts, ends, strict=True)]

    def row(self, outside_id: str) -> int | None:
        """Row of an id, or None when it is not in the vocabulary. O(log n)."""
        wanted, hashes = _hash(outside_id, self.key), self.hashes
        row = int(hashes.searchsorted(np.uint64(wanted)))
        while row < hashes.size and hashes.item(row) == wanted:
            if self.id(row) == outside_id:
                return row
            row += 1
        return None

    def rows(self, ids: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Rows of several ids and which of them are known.

        Returns
        -------
        rows : int32, shape (n_ids,); 0 where unknown
        known : bool, shape (n_ids,)
        """
        found = [self.row(i) for i in ids]
        known = np.fromiter((row is not None for row in found), np.bool_, len(found))
        return np.fromiter((row or 0 for row in found), np.int32, len(found)), known


def _hash(outside_id: str, key: bytes) -> int:
    """BLAKE2b-64 (RFC 7693) of the id under the key."""
    digest = hashlib.blake2b(outside_id.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big")


def _hashes(encoded: Sequence[bytes], key: bytes) -> NDArray[np.uint64]:
    """:func:`_hash` of each of many ids in UTF-8, which takes the key in once."""
    keyed = hashlib.blake2b(digest_size=8, key=key)

    def digest(one: bytes) -> bytes:
        hashed = keyed.copy()
        hashed.update(one)
        return hashed.digest()

    return np.frombuffer(b"".join(map(digest, encoded)), ">u8").astype(np.uint64)
