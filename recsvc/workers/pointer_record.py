"""Puts on record which bundle serves, whoever moved the shelf's pointer.

The trainer publishes, promotes and rolls back without a store, so the audit log would not hold it.
"""

from dataclasses import dataclass
from pathlib import Path

from embeddings.shelf import Shelf
from recsvc.stores.entrance.audit import AuditLog


@dataclass(frozen=True, slots=True)
class PointerRecord:
    """Follows the pointer of one issuer; any number may, each move is told once.

    Parameters
    ----------
    issuer_id : str
    audit : AuditLog
    root : Path
        Folder of all shelves.
    """

    issuer_id: str
    audit: AuditLog
    root: Path

    def round(self) -> int:
        """Tell of every move since the last one on record; returns how many entries were written.

        Moves forward are told one by one. There and back again between two rounds is no move.
        """
        shelf = Shelf(self.root, self.issuer_id)
        before = self.audit.model_on_record(self.issuer_id)
        moves = shelf.moves_since(before)
        for told, version in enumerate(moves):
            how = "back" if before is not None and version < before else "forward"
            if self.audit.model_moved(self.issuer_id, before, version, how=how) is None:
                return told  # another archiver is telling of them
            before = version
        return len(moves)
