"""Bringing new catalogues and bundles into a worker, each in a thread of its own."""

import threading
from dataclasses import dataclass

from embeddings.bundle import Bundle
from embeddings.catalog import Catalog
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.changes import CatalogMark, Marks
from recsvc.upkeep.followers import NO_MARK, CatalogFollower, CatalogSnapshot, ShelfFollower
from recsvc.upkeep.shelves import Shelves

NOTHING = (Catalog(), "none")
"""What an issuer without items of his own offers once he has left his alliance."""


@dataclass(slots=True)
class _Room:
    """What a worker holds of one issuer; `allied` are the alliances he has joined."""

    catalog_follower: CatalogFollower
    shelf_follower: ShelfFollower
    snapshot: CatalogSnapshot | None = None
    bundle: Bundle | None = None
    allied: tuple[str, ...] = ()

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
        marks = self._marks()
        moved = {one for one, mark in marks.catalogs.items() if self._follow_catalog(one, mark)}
        for issuer_id, room in list(self._rooms.items()):
            allied = self._allied(room, marks, issuer_id)
            if issuer_id in moved or allied != room.allied or not moved.isdisjoint(allied):
                with self._lock:
                    room.allied = allied
                    self._serve(issuer_id, room)

    def _follow_catalog(self, issuer_id: str, mark: CatalogMark) -> bool:
        """Bring one catalogue up to its mark; whether it moved."""
        room = self._rooms[issuer_id]
        snapshot = room.catalog_follower.catch_up(mark)
        if snapshot is None:
            return False
        self._metrics.catalog(issuer_id, snapshot.number)
        room.snapshot = snapshot
        return True

    def _allied(self, room: _Room, marks: Marks, issuer_id: str) -> tuple[str, ...]:
        """The alliances that count; those known where the store has lost their catalogues."""
        lost = any(one in marks.catalogs and marks.catalogs[one] == NO_MARK for one in room.allied)
        return room.allied if lost else marks.alliances.get(issuer_id, ())

    def _marks(self) -> Marks:
        """Marks of all catalogues; asked again while there are issuers we did not know."""
        while True:
            marks = self._stores.changes.marks(sorted(self._rooms))
            unknown = marks.issuers.union(*marks.alliances.values()).difference(self._rooms)
            if not unknown:
                return marks
            for issuer_id in sorted(unknown):
                self._room(issuer_id)

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
        earlier = self._slot.current(issuer_id)
        held = self._catalog_of(room) or (NOTHING if earlier else None)
        if held is None:
            return
        catalog, version = held
        used_up = earlier.tables.exhausted if earlier else ()
        model = ServingModel.build(
            issuer_id, room.bundle, catalog, version, earlier=earlier, exhausted=used_up
        )
        self._slot.swap(model)
        self._log.info(
            "serving",
            issuer_id=issuer_id,
            model_version=model.model_version,
            catalog_version=version,
            items=len(catalog),
        )

    def _catalog_of(self, room: _Room) -> tuple[Catalog, str] | None:
        """What the issuer offers: his own items, and his alliances' where he has none of the id.

        Of two alliances the one whose id comes last has the say.
        """
        found = [(r.snapshot.catalog, r.snapshot.version) for r in self._allies(room) if r.snapshot]
        own = room.catalog()
        if own is not None:
            found.append(own)
        if len(found) < 2:
            return found[0] if found else None
        items = {item.item_id: item for catalog, _ in found for item in catalog.items}
        return Catalog.of(items.values()), "+".join(version for _, version in found)

    def _allies(self, room: _Room) -> list[_Room]:
        return [self._rooms[one] for one in room.allied if one in self._rooms]

    def _tell_model(self, issuer_id: str, bundle: Bundle, previous: Bundle | None) -> None:
        self._metrics.model(issuer_id, bundle.version, previous.version if previous else None)
