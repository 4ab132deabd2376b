"""Bringing new catalogues and bundles into a worker, each in a thread of its own."""

import threading
from dataclasses import dataclass

from embeddings.bundle import Bundle
from embeddings.catalog import Catalog
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.changes import Marks
from recsvc.upkeep.followers import CatalogFollower, CatalogSnapshot, ShelfFollower
from recsvc.upkeep.shelves import Shelves


@dataclass(slots=True)
class _Room:
    """What a worker holds of one issuer."""

    catalog_follower: CatalogFollower
    shelf_follower: ShelfFollower
    snapshot: CatalogSnapshot | None = None
    bundle: Bundle | None = None

    def catalog(self) -> tuple[Catalog, str] | None:
        """The catalogue that serves and its version; the bundle's own until the store tells one."""
        if self.snapshot is not None:
            return self.snapshot.catalog, self.snapshot.version
        if self.bundle is not None and len(self.bundle.model.catalog):
            return self.bundle.model.catalog, f"bundle-{self.bundle.version}"
        return None


class Loader:
    """Keeps the model slot up with the stores and the shelves.

    Two threads may use it: one that follows the stores, one that follows the shelves. Opening a
    large bundle, which takes seconds, holds up no change of a catalogue.

    Parameters
    ----------
    stores, shelves : what is watched
    slot : what is kept up
    log, metrics : where changes are told
    """

    def __init__(
        self,
        *,
        stores: Stores,
        shelves: Shelves,
        slot: ModelSlot,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._stores = stores
        self._shelves = shelves
        self._slot = slot
        self._log = log
        self._metrics = metrics
        self._rooms: dict[str, _Room] = {}
        self._lock = threading.RLock()

    def follow_stores(self) -> None:
        """Bring in changed catalogues; one round trip when nothing changed.

        Raises
        ------
        StoreAwayError
            nothing is forgotten then
        """
        for issuer_id, mark in self._marks().catalogs.items():
            room = self._rooms[issuer_id]
            snapshot = room.catalog_follower.catch_up(mark)
            if snapshot is not None:
                self._metrics.catalog(issuer_id, snapshot.number)
                with self._lock:
                    room.snapshot = snapshot
                    self._serve(issuer_id, room)

    def _marks(self) -> Marks:
        """Marks of all catalogues; asked again when there are issuers we did not know."""
        marks = self._stores.changes.marks(sorted(self._rooms))
        unknown = marks.issuers.difference(self._rooms)
        for issuer_id in sorted(unknown):
            self._room(issuer_id)
        return self._stores.changes.marks(sorted(self._rooms)) if unknown else marks

    def follow_shelves(self) -> None:
        """Bring in newly published bundles."""
        for issuer_id in sorted(self._shelves.issuers()):
            self._room(issuer_id)
        for issuer_id in sorted(self._rooms):
            room = self._rooms[issuer_id]
            bundle = room.shelf_follower.catch_up()
            if bundle is not None:
                self._tell_model(issuer_id, bundle, room.bundle)
                with self._lock:
                    room.bundle = bundle
                    self._serve(issuer_id, room)

    def _room(self, issuer_id: str) -> _Room:
        with self._lock:
            room = self._rooms.get(issuer_id)
            if room is None:
                shelf = self._shelves.of(issuer_id)
                room = self._rooms[issuer_id] = _Room(
                    CatalogFollower(issuer_id, self._stores.catalog, self._log),
                    ShelfFollower(shelf, self._log, self._metrics),
                )
            return room

    def _serve(self, issuer_id: str, room: _Room) -> None:
        """Compile what the room holds and swap it in: one assignment, seen by the next request."""
        held = room.catalog()
        if held is None:
            return
        catalog, version = held
        earlier = self._slot.current(issuer_id)
        model = ServingModel.build(issuer_id, room.bundle, catalog, version, earlier=earlier)
        self._slot.swap(model)
        self._log.info(
            "serving",
            issuer_id=issuer_id,
            model_version=model.model_version,
            catalog_version=version,
            items=len(catalog),
        )

    def _tell_model(self, issuer_id: str, bundle: Bundle, previous: Bundle | None) -> None:
        self._metrics.model(issuer_id, bundle.version, previous.version if previous else None)
