"""Notes on the shelf how far each audit log has come (:mod:`recsvc.stores.entrance.audit_note`)."""

from dataclasses import dataclass
from pathlib import Path

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.audit_note import NoteError, read_note, write_note


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
            before = read_note(self.shelf)
        except NoteError:
            return self._tell("audit_witness_unreadable")
        last = self.audit.seen(self.issuer_id)
        if last == before:
            return False
        if last is None or not (before is None or self.audit.holds(self.issuer_id, before)):
            return self._tell("audit_log_differs")
        write_note(self.shelf, last)
        return True

    def _tell(self, event: str) -> bool:
        self.metrics.happened(event)
        self.log.error(event, issuer_id=self.issuer_id)
        return False
