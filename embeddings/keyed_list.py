"""Lists about cardholders that name nobody, as serving writes and the trainer reads them.

A list is one JSON object: its format, the issuer, the key of the hashes, and what it tells. A list
that cannot be read in one way only must stop a training, so reading is strict.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from embeddings.durable import replace_file
from embeddings.errors import EmbeddingsError, KeyTwiceError
from embeddings.strict_json import read_strictly

HASH = re.compile(r"[0-9a-f]{32}")
MAX_KEY_BYTES = 64
OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
Document = dict[str, Any]
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class ListKind:
    """One kind of list: how its files are written, read and refused.

    Parameters
    ----------
    format : int
    told : str      what it lists, e.g. ``erased cardholders``
    remedy : str    how one comes by a file that can be read
    refusal : type of EmbeddingsError    raised of a file that is no such list
    """

    format: int
    told: str
    remedy: str
    refusal: type[EmbeddingsError]

    def write(self, path: Path, issuer_id: str, key: bytes, content: Mapping[str, object]) -> None:
        """Write a list whole, or leave the file as it was."""
        head = {"format": self.format, "issuer_id": issuer_id, "key": key.hex()}
        replace_file(path, orjson.dumps({**head, **content}, option=OPTIONS))

    def read(self, path: Path, build: Callable[[str, bytes, Document], Told]) -> Told:
        """What ``build`` makes of the issuer, the key and the document of a file.

        Raises
        ------
        EmbeddingsError
            The ``refusal``; names the file and what is wrong. ``build`` tells it a fault by a
            ValueError, KeyError, TypeError or AttributeError.
        """
        try:
            document = read_strictly(path.read_bytes())
            return build(*self._head(document), document)
        except OSError as error:
            raise self.refusal(f"{path}: cannot be read: {error.strerror}") from error
        except KeyError as error:
            raise self._refused(path, f"has no field {error}") from error
        except KeyTwiceError as error:
            raise self._refused(path, "a field comes twice in one object") from error
        except (EmbeddingsError, ValueError, TypeError, AttributeError) as error:
            raise self._refused(path, str(error)) from error

    def _head(self, document: Document) -> tuple[str, bytes]:
        """Issuer and key of a document; KeyError, ValueError or TypeError when it has none."""
        if document["format"] != self.format:
            raise ValueError(f"format {document['format']!r}, expected {self.format}")
        issuer_id, key = document["issuer_id"], bytes.fromhex(document["key"])
        if not isinstance(issuer_id, str):
            raise TypeError("issuer_id is no text")
        if not 0 < len(key) <= MAX_KEY_BYTES:
            raise ValueError(f"key has {len(key)} bytes, expected 1 to {MAX_KEY_BYTES}")
        return issuer_id, key

    def _refused(self, path: Path, fault: str) -> EmbeddingsError:
        return self.refusal(f"{path}: is no list of {self.told} ({fault}); {self.remedy}")


def checked_hash(value: object) -> str:
    """A keyed hash of a cardholder's id; ValueError when the value is none."""
    if not (isinstance(value, str) and HASH.fullmatch(value)):
        raise ValueError(f"{value!r:.42} is no hash of 32 hexadecimal digits")
    return value
