"""Following one issuer's catalogue and shelf: what is new since the last look, and nothing else."""

from dataclasses import dataclass
from typing import Protocol

from embeddings.bundle import Bundle
from embeddings.catalog import Catalog, Item
from embeddings.errors import EmbeddingsError
from embeddings.shelf import Shelf
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.catalog import Changes
from recsvc.stores.changes import CatalogMark

LOOKS_BETWEEN_RETRIES = 10
NO_MARK = CatalogMark(None, 0)


class CatalogChanges(Protocol):
    """Where the changes of a catalogue come from."""

    def changes_since(self, issuer_id: str, version: int) -> Changes:
        """What changed after a version, oldest first, a bounded number of items."""


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """A catalogue at one moment; never changes.

    `version` names it outside; `number` is its place in the order of changes.
    """

    catalog: Catalog
    version: str
    number: int


class CatalogFollower:
    """One issuer's catalogue, kept up with the store."""

    def __init__(self, issuer_id: str, source: CatalogChanges, log: Log) -> None:
        self._issuer_id = issuer_id
        self._source = source
        self._log = log
        self._mark = NO_MARK
        self._items: dict[str, Item] = {}

    def catch_up(self, mark: CatalogMark) -> CatalogSnapshot | None:
        """The new snapshot when the store has come further than ours, else None.

        A store that has lost its catalogue does not empty ours: the last one known goes on.
        """
        if mark == self._mark:
            return None
        if mark.epoch is None:
            self._log.error("catalog_lost", issuer_id=self._issuer_id, kept=len(self._items))
            return None
        goes_on = mark.epoch == self._mark.epoch and mark.version > self._mark.version
        items = dict(self._items) if goes_on else {}
        reached = self._collect(items, self._mark.version if goes_on else 0)
        self._items, self._mark = items, CatalogMark(mark.epoch, reached)
        version = f"{mark.epoch}-{reached}"
        return CatalogSnapshot(Catalog.of(items.values()), version, reached)

    def _collect(self, items: dict[str, Item], version: int) -> int:
        """Bring the changes after a version into the items; returns the version reached."""
        while True:
            found = self._source.changes_since(self._issuer_id, version)
            for change in found.changes:
                if change.fault is not None:
                    self._log.error("catalog_item_unreadable", issuer_id=self._issuer_id)
                if change.stored is None:
                    items.pop(change.item_id, None)
                else:
                    items[change.item_id] = change.stored.item
            if not found.changes:
                return version
            version = found.through


class ShelfFollower:
    """One issuer's published bundle; a broken one is refused and the one in use stays."""

    def __init__(self, shelf: Shelf, log: Log, metrics: Metrics) -> None:
        self._shelf = shelf
        self._log = log
        self._metrics = metrics
        self._version: str | None = None
        self._refused: dict[str, int] = {}

    @property
    def issuer_id(self) -> str:
        """Whose shelf it is."""
        return self._shelf.issuer_id

    def catch_up(self) -> Bundle | None:
        """The bundle that now serves when it is another one than before, else None."""
        wanted = self._shelf.current_version()
        if wanted is None or wanted == self._version or self._rests(wanted):
            return None
        bundle = self._open(wanted)
        self._metrics.stale(self.issuer_id, stale=bundle is None)
        if bundle is None and self._version is None:
            bundle = self._newest_good(before=wanted)
        if bundle is not None:
            self._version = bundle.version
        return bundle

    def _rests(self, version: str) -> bool:
        """Whether a refused bundle is left alone this time; hashing it each time would cost."""
        if version not in self._refused:
            return False
        self._refused[version] += 1
        return self._refused[version] % LOOKS_BETWEEN_RETRIES != 0

    def _newest_good(self, before: str) -> Bundle | None:
        """At a start with a broken bundle in place: the newest older one that opens."""
        for version in sorted(self._shelf.versions(), reverse=True):
            if version < before and (bundle := self._open(version)) is not None:
                self._log.warning("older_bundle_serves", issuer_id=self.issuer_id, version=version)
                return bundle
        return None

    def _open(self, version: str) -> Bundle | None:
        try:
            bundle = self._shelf.open(version)
        except (EmbeddingsError, OSError) as error:
            self._tell_once(version, error)
            return None
        self._refused.pop(version, None)
        return bundle

    def _tell_once(self, version: str, error: Exception) -> None:
        self._metrics.happened("bundle_refused")
        if version not in self._refused:
            self._refused[version] = 0
            self._log.error(
                "bundle_refused",
                issuer_id=self.issuer_id,
                version=version,
                code=getattr(error, "code", type(error).__name__),
                reason=str(error),
            )
