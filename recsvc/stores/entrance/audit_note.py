"""What was noted of an audit log outside the store, so that a log that is gone is missed.

A log that was deleted whole, or begun anew, holds in itself. The note is a file in the issuer's
folder on the shelf, out of reach of whoever can only reach the store: the number and the hash of an
entry that the log held.
"""

from pathlib import Path
from typing import Any

import orjson

from embeddings.durable import replace_file
from embeddings.errors import EmbeddingsError
from embeddings.strict_json import read_strictly
from recsvc.stores.entrance.audit_chain import Seen

FILE_NAME = "audit-witness.json"
FORMAT = 1


class NoteError(Exception):
    """What was noted of an audit log cannot be read; the message names the file and the fault."""


def write_note(folder: Path, seen: Seen) -> None:
    """Note an entry in an issuer's folder, in place of what was noted before; on disk when done."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"format": FORMAT, "seq": seen.seq, "hash": seen.digest}
    replace_file(folder / FILE_NAME, orjson.dumps(document))


def read_note(folder: Path) -> Seen | None:
    """The entry that was noted in an issuer's folder; None where none was.

    Raises
    ------
    NoteError
        There is a file, and it is no note.
    """
    path = folder / FILE_NAME
    try:
        document: Any = read_strictly(path.read_bytes())
        seq, digest = document["seq"], document["hash"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoteError(f"{path}: cannot be read: {error.strerror}") from error
    except (EmbeddingsError, KeyError, TypeError) as error:
        raise _no_note(path) from error
    if document.get("format") != FORMAT or type(seq) is not int or not isinstance(digest, str):
        raise _no_note(path)
    return Seen(seq, digest)


def _no_note(path: Path) -> NoteError:
    return NoteError(
        f"{path}: is no note of an audit log; hold the log against a copy of the store before you "
        "remove the file, and the next round of: recsvc worker archive writes it anew"
    )
