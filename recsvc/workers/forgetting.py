"""Finishes erasures: streams, archive files, and the list that the trainer reads.

Serving forgot a cardholder with the answer to his request; here the rest follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from embeddings.erasure import FILE_NAME, ErasedList, ErasedListError
from recsvc.stores.denylist import DenyList
from recsvc.stores.rights.sweeping import Sweeper
from recsvc.workers.archive_files import remove_rows


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets the erased cardholders of one issuer.

    Parameters
    ----------
    issuer_id : str
    deny_list : DenyList
    sweeper : Sweeper
    archive, shelf : Path
        The issuer's folders. The archive's copy of the list says who is forgotten there already.
    clock : aware now
    """

    issuer_id: str
    deny_list: DenyList
    sweeper: Sweeper
    archive: Path
    shelf: Path
    clock: Callable[[], datetime]

    def round(self) -> int:
        """Forget who was erased since the last round; returns how many cardholders."""
        erased = self.deny_list.all(self.issuer_id)
        new = erased.hashes - self._done(erased)
        if new:
            fresh = ErasedList(self.issuer_id, erased.key, new)
            self.sweeper.sweep(self.issuer_id, fresh.covers)
            for path in sorted(self.archive.rglob("*.parquet")):
                remove_rows(path, fresh.covers)
            self._tell_trainer(erased)
            self.archive.mkdir(parents=True, exist_ok=True)
            erased.write(self.archive / FILE_NAME)
            self.deny_list.finished(self.issuer_id, sorted(new), self.clock())
        return len(new)

    def _done(self, erased: ErasedList) -> frozenset[str]:
        """Who is forgotten here already; nobody when the list was made with another key."""
        path = self.archive / FILE_NAME
        if not path.is_file():
            return frozenset()
        try:
            before = ErasedList.read(path)
        except ErasedListError:
            return frozenset()
        return before.hashes if before.key == erased.key else frozenset()

    def _tell_trainer(self, erased: ErasedList) -> None:
        """Put the list where `recsvc-train run` looks for it."""
        self.shelf.mkdir(parents=True, exist_ok=True)
        erased.write(self.shelf / FILE_NAME)
