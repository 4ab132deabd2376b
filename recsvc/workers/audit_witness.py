"""Notes outside the store how far each audit log has come, so that one that is gone is missed.

A log that was deleted whole, or begun anew, holds in itself. What was noted here of it does not fit
any more: the note is a file on the shelf, out of reach of whoever can only reach the store.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from embeddings.durable import replace_file
from embeddings.errors import EmbeddingsError
from embeddings.strict_json import read_strictly
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.entrance.audit import AuditLog, Seen

FILE_NAME = "audit-witness.json"
FORMAT = 1


class WitnessError(Exception):
    """What was noted of an audit log cannot be read; the message names the file and the fault."""


@dataclass(frozen=True, slots=True)
class AuditWitness:
    """Follows the audit log of one issuer; any number may.

    Parameters
    ----------
    issuer_id : str
    audit : AuditLog
    shelf : Path
        The issuer's folder.
    log : Log
    metrics : Metrics
    """

    issuer_id: str
    audit: AuditLog
    shelf: Path
    log: Log
    metrics: Metrics

    def round(self) -> bool:
        """Note the last entry where it is another than was noted; whether it was.

        A log that does not hold the entry that was noted is told of, each round, and the note
        stays: it is the one proof that there was more.
        """
        try:
            before = seen_of(self.shelf)
        except WitnessError:
            return self._tell("audit_witness_unreadable")
        last = self.audit.seen(self.issuer_id)
        if last == before:
            return False
        if last is None or not (before is None or self.audit.holds(self.issuer_id, before)):
            return self._tell("audit_log_differs")
        self.shelf.mkdir(parents=True, exist_ok=True)
        document = {"format": FORMAT, "seq": last.seq, "hash": last.digest}
        replace_file(self.shelf / FILE_NAME, orjson.dumps(document))
        return True

    def _tell(self, event: str) -> bool:
        self.metrics.happened(event)
        self.log.error(event, issuer_id=self.issuer_id)
        return False


def seen_of(shelf: Path) -> Seen | None:
    """The entry that was noted in an issuer's folder; None where none was.

    Raises
    ------
    WitnessError
        There is a file, and it is no note.
    """
    path = shelf / FILE_NAME
    try:
        document: Any = read_strictly(path.read_bytes())
        seq, digest = document["seq"], document["hash"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WitnessError(f"{path}: cannot be read: {error.strerror}") from error
    except (EmbeddingsError, KeyError, TypeError) as error:
        raise _no_note(path) from error
    if document.get("format") != FORMAT or type(seq) is not int or not isinstance(digest, str):
        raise _no_note(path)
    return Seen(seq, digest)


def _no_note(path: Path) -> WitnessError:
    return WitnessError(
        f"{path}: is no note of an audit log; hold the log against a copy of the store before you "
        "remove the file, and the next round of: recsvc worker archive writes it anew"
    )
