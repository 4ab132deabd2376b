"""Which interests cardholders deleted, told to the trainer without naming anybody.

What a cardholder did at a column until he deleted it counts in no later bundle; what he did there
since counts alone. Serving keeps the list, training reads it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import orjson

from embeddings.durable import replace_file
from embeddings.erasure import erased_hash
from embeddings.errors import EmbeddingsError
from embeddings.strict_json import read_strictly
from embeddings.vocabulary import split_column_id

FORMAT = 1
FILE_NAME = "deleted-interests.json"
DAY_MICROSECONDS = 86_400_000_000
HASH = re.compile(r"[0-9a-f]{32}")
MAX_MICROSECONDS, MAX_KEY_BYTES = 2**53, 64
Deletions = Mapping[str, int]
"""Column id → microseconds since 1970-01-01 UTC at which it was deleted last."""


class DeletedInterestsError(EmbeddingsError):
    """A list of deleted interests is not usable; the message names the file and the fault."""


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
        document = {
            "format": FORMAT,
            "issuer_id": self.issuer_id,
            "key": self.key.hex(),
            "revision": self.revision,
            "through": self.through,
            "deletions": self.deletions,
        }
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        replace_file(path, orjson.dumps(document, option=options))

    @classmethod
    def read(cls, path: Path) -> Self:
        """List of a file.

        Raises
        ------
        DeletedInterestsError
            Names the file and what is wrong. A list that cannot be read must stop a training.
        """
        try:
            return cls._of(read_strictly(path.read_bytes()))
        except OSError as error:
            raise DeletedInterestsError(f"{path}: cannot be read: {error.strerror}") from error
        except (EmbeddingsError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeletedInterestsError(
                f"{path}: is no list of deleted interests ({error or 'torn'}); remove it, and the "
                "next round of: recsvc worker archive writes it anew"
            ) from error

    @classmethod
    def _of(cls, document: dict[str, Any]) -> Self:
        """List of a document; ValueError, KeyError, TypeError or AttributeError when it is none."""
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}, expected {FORMAT}")
        told = document["through"]
        through = None if told is None else datetime.fromisoformat(told)
        if through is not None and through.tzinfo is None:
            raise ValueError("through has no zone")
        issuer_id, revision = document["issuer_id"], document["revision"]
        if not (isinstance(issuer_id, str) and isinstance(revision, int)):
            raise TypeError("issuer_id is a text and revision a whole number")
        key, deletions = bytes.fromhex(document["key"]), document["deletions"]
        if not 0 < len(key) <= MAX_KEY_BYTES:
            raise ValueError(f"key has {len(key)} bytes, expected 1 to {MAX_KEY_BYTES}")
        for hashed, columns in deletions.items():
            _check(hashed, columns)
        return cls(issuer_id, key, revision, deletions, through)


def last_day(deleted_at: int) -> int:
    """Last UTC day, counted from 1970-01-01, on which nothing counts, of microseconds."""
    return deleted_at // DAY_MICROSECONDS


def _check(hashed: str, columns: dict[str, Any]) -> None:
    """Refuse what is no deletion; ValueError or AttributeError."""
    if not HASH.fullmatch(hashed):
        raise ValueError(f"{hashed[:40]!r} is no hash of 32 hexadecimal digits")
    for column, deleted_at in columns.items():
        split_column_id(column)
        if type(deleted_at) is not int or not 0 <= deleted_at < MAX_MICROSECONDS:
            raise ValueError(f"{column[:80]!r}: {deleted_at!r} are no microseconds since 1970")
