"""Who was erased, told to the trainer without naming anybody.

A cardholder's right to be forgotten holds in every later bundle: serving keeps a list of keyed
hashes, training leaves out every row whose cardholder is on it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from embeddings.durable import replace_file
from embeddings.errors import EmbeddingsError

FORMAT = 1
FILE_NAME = "erased.json"


class ErasedListError(EmbeddingsError):
    """A list of erased cardholders is not usable; the message names the file and the fault."""


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
        document = {
            "format": FORMAT,
            "issuer_id": self.issuer_id,
            "key": self.key.hex(),
            "hashes": sorted(self.hashes),
        }
        replace_file(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))

    @classmethod
    def read(cls, path: Path) -> Self:
        """List of a file.

        Raises
        ------
        ErasedListError
            Names the file and what is wrong. A list that cannot be read must stop a training.
        """
        try:
            document: Any = orjson.loads(path.read_bytes())
            if document["format"] != FORMAT:
                raise ErasedListError(f"{path}: format {document['format']}, expected {FORMAT}")
            key, hashes = bytes.fromhex(document["key"]), frozenset(document["hashes"])
            return cls(str(document["issuer_id"]), key, hashes)
        except OSError as error:
            raise ErasedListError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ErasedListError(
                f"{path}: is no list of erased cardholders; write it with: recsvc erasure list"
            ) from error
