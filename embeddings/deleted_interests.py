"""Which interests cardholders deleted, told to the trainer without naming anybody.

What a cardholder did at a column until he deleted it counts in no later bundle; what he did there
since counts alone. Serving keeps the list, training reads it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from embeddings.erasure import erased_hash
from embeddings.errors import EmbeddingsError
from embeddings.keyed_list import Document, ListKind, checked_hash
from embeddings.vocabulary import split_column_id

FILE_NAME = "deleted-interests.json"
DAY_MICROSECONDS = 86_400_000_000
MAX_MICROSECONDS = 2**53
Deletions = Mapping[str, int]
"""Column id → microseconds since 1970-01-01 UTC at which it was deleted last."""


class DeletedInterestsError(EmbeddingsError):
    """A list of deleted interests is not usable; the message names the file and the fault."""


KIND = ListKind(
    format=1,
    told="deleted interests",
    remedy="remove it, and the next round of: recsvc worker archive writes it anew",
    refusal=DeletedInterestsError,
)


@dataclass(frozen=True, slots=True)
class DeletedInterests:
    """The interests that one issuer's cardholders deleted.

    Parameters
    ----------
    issuer_id : str
    key : bytes
        What the hashes were made with.
    revision : int
        Grows with each change of the list in the store.
    deletions : mapping of keyed hash of a cardholder's id to his deletions
    through : datetime or None
        Aware; every deletion until then is on the list. None when that can be said of none.
    """

    issuer_id: str
    key: bytes
    revision: int
    deletions: Mapping[str, Deletions]
    through: datetime | None = None

    def places_in(self, cardholder_ids: Iterable[str]) -> Iterator[tuple[int, Deletions]]:
        """Place among these cardholders of each who deleted something, and what he deleted."""
        if not self.deletions:
            return
        for place, one in enumerate(cardholder_ids):
            found = self.deletions.get(erased_hash(self.key, one))
            if found:
                yield place, found

    def write(self, path: Path) -> None:
        """Write the list whole, or leave the file as it was."""
        content = {
            "revision": self.revision,
            "through": self.through,
            "deletions": self.deletions,
        }
        KIND.write(path, self.issuer_id, self.key, content)

    @classmethod
    def read(cls, path: Path) -> Self:
        """List of a file.

        Raises
        ------
        DeletedInterestsError
            Names the file and what is wrong. A list that cannot be read must stop a training.
        """
        return KIND.read(path, cls._of)

    @classmethod
    def _of(cls, issuer_id: str, key: bytes, document: Document) -> Self:
        """List of a document; ValueError, KeyError, TypeError or AttributeError when it is none."""
        told = document["through"]
        through = None if told is None else datetime.fromisoformat(told)
        if through is not None and through.tzinfo is None:
            raise ValueError("through has no zone")
        revision, deletions = document["revision"], document["deletions"]
        if type(revision) is not int:
            raise TypeError("revision is no whole number")
        for hashed, columns in deletions.items():
            _check(hashed, columns)
        return cls(issuer_id, key, revision, deletions, through)


def last_day(deleted_at: int) -> int:
    """Last UTC day, counted from 1970-01-01, on which nothing counts, of microseconds."""
    return deleted_at // DAY_MICROSECONDS


def _check(hashed: str, columns: dict[str, Any]) -> None:
    """Refuse what is no deletion; ValueError or AttributeError."""
    checked_hash(hashed)
    for column, deleted_at in columns.items():
        split_column_id(column)
        if type(deleted_at) is not int or not 0 <= deleted_at < MAX_MICROSECONDS:
            raise ValueError(f"{column[:80]!r}: {deleted_at!r} are no microseconds since 1970")
