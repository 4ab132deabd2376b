"""Puts the list of deleted interests where the trainer reads it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from embeddings.deleted_interests import FILE_NAME, DeletedInterests, DeletedInterestsError
from recsvc.stores.rights.deleted_interests import DeletedInterestStore, is_settled

Stamp = tuple[int, int, int]


class Telling:
    """Tells the trainer of one issuer which interests his cardholders deleted.

    Parameters
    ----------
    issuer_id : str
    store : DeletedInterestStore
    shelf : Path
        The issuer's folder.
    clock : aware now
    """

    def __init__(
        self,
        issuer_id: str,
        store: DeletedInterestStore,
        shelf: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._issuer_id = issuer_id
        self._store = store
        self._path = shelf / FILE_NAME
        self._clock = clock
        self._last: tuple[Stamp | None, DeletedInterests | None] = None, None

    def round(self) -> bool:
        """Write the list where it changed since it was written; whether it was.

        What was deleted a moment ago is on the list at once but vouched for a minute later, so the
        list is written again then. A store that knows of no deletion leaves the file alone.
        """
        now, revision = self._clock(), self._store.revision(self._issuer_id)
        if revision is None or self._is_told(revision):
            return False
        deleted = self._store.read(self._issuer_id, revision, now)
        if deleted == self._before():
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        deleted.write(self._path)
        return True

    def _is_told(self, revision: int) -> bool:
        before = self._before()
        return (
            before is not None
            and before.revision == revision
            and before.key == self._store.key_of(self._issuer_id)
            and is_settled(before)
        )

    def _before(self) -> DeletedInterests | None:
        """What the trainer reads by now; None where that is nothing, or damaged.

        A file that is as it was at the last look is not read again.
        """
        stamp = _stamp(self._path)
        if stamp != self._last[0]:
            self._last = stamp, _read(self._path)
        return self._last[1]


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> DeletedInterests | None:
    try:
        return DeletedInterests.read(path)
    except DeletedInterestsError:
        return None
