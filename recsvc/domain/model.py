"""One model to serve from: one bundle and one catalogue of one issuer, compiled."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from embeddings.catalog import Catalog, Item
from embeddings.index import ItemIndex
from recsvc.domain.eligibility import ByTerms, EligibilityTables
from recsvc.domain.errors import NothingToServeError
from recsvc.domain.moment import BEFORE_ALL
from recsvc.domain.naming import ItemNotes, Naming
from recsvc.domain.narrowing import Narrowing
from recsvc.domain.popularity import ItemPopularity
from recsvc.domain.space import ItemSpace


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Items in groups of one kind.

    Parameters
    ----------
    keys : int32, shape (n_items,)          number of each item's group; -1 for an item of none
    members : int32, shape (n_grouped,)     rows, those of one group together
    starts : int64, shape (n_groups + 1,)   where each group begins in ``members``
    key_of : the keys once more, to be looked at one at a time
    """

    keys: NDArray[np.int32]
    members: NDArray[np.int32]
    starts: NDArray[np.int64]
    key_of: "array[int]"

    @classmethod
    def of(cls, names: Sequence[str | None]) -> Self:
        """Groups of items by name; None is no group."""
        keys = _numbered(names)
        order = np.argsort(keys, kind="stable").astype(np.int32)
        members = order[int(np.count_nonzero(keys < 0)) :]
        n_groups = int(keys.max(initial=-1)) + 1
        starts = np.searchsorted(keys[members], np.arange(n_groups + 1))
        return cls(keys, members, starts, array("i", keys.tobytes()))

    def rows(self, key: int) -> NDArray[np.int32]:
        """Rows of a group, ascending."""
        return self.members[self.starts[key] : self.starts[key + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class GroupKeys:
    """The groups that caps count: first merchant, category, exclusive group."""

    merchant: Grouping
    category: Grouping
    exclusive: Grouping

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        """Groups of items."""
        return cls(
            Grouping.of([next(iter(item.merchants()), None) for item in items]),
            Grouping.of([item.category for item in items]),
            Grouping.of([item.terms.exclusive_group for item in items]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ServingModel:
    """A bundle and a catalogue as one value that never changes; build with :meth:`build`.

    Both versions belong to it, so no answer can mix two models. It holds nothing for each
    cardholder: those arrays stay memory-mapped.

    Parameters
    ----------
    issuer_id : str
    catalog_version : str
    catalog : Catalog
    bundle : Bundle, optional
        None for an issuer that has a catalogue and no training yet.
    space : ItemSpace
    index : ItemIndex
        Over ``[pull, priority / 1000]`` of each item, so that one search finds the best by
        score and business boost together.
    narrowing : Narrowing
        The same index, smaller, for what one cardholder may have.
    tables : EligibilityTables
    popularity : ItemPopularity
    naming : Naming                        what columns are called
    notes : ItemNotes                      what reasons need to know of items
    keys : GroupKeys
    newest : int32, shape (n_items,)       rows, latest start first, ties by row
    sponsored : int32, shape (n_sponsored,) rows of sponsored items, highest priority first
    """

    issuer_id: str
    catalog_version: str
    catalog: Catalog
    bundle: Bundle | None
    space: ItemSpace
    index: ItemIndex
    narrowing: Narrowing
    tables: EligibilityTables
    popularity: ItemPopularity
    naming: Naming
    notes: ItemNotes
    keys: GroupKeys
    newest: NDArray[np.int32]
    sponsored: NDArray[np.int32]

    @classmethod
    def build(
        cls,
        issuer_id: str,
        bundle: Bundle | None,
        catalog: Catalog,
        catalog_version: str,
        *,
        earlier: Self | None = None,
        exhausted: Iterable[str] = (),
    ) -> Self:
        """Compile a bundle and a catalogue.

        Parameters
        ----------
        issuer_id : str
        bundle : Bundle, optional
        catalog : Catalog
        catalog_version : str
        earlier : ServingModel, optional
            What served until now: items that did not change are not composed again, as long as
            the bundle is the very same.
        exhausted : item ids whose total or daily budget is used up
        """
        before = earlier if earlier is not None and earlier.bundle is bundle else None
        space = ItemSpace.of(bundle, catalog.items, before.space if before else None)
        naming = before.naming if before else Naming(bundle, space.columns)
        items = catalog.items
        index = ItemIndex(np.c_[space.pulls, priorities(items)])
        return cls(
            issuer_id,
            catalog_version,
            catalog,
            bundle,
            space,
            index,
            Narrowing(index, space.known),
            EligibilityTables.of(items, space.merchants, space.categories, exhausted),
            ItemPopularity(bundle, space),
            naming,
            ItemNotes(naming, space),
            GroupKeys.of(items),
            _newest(items),
            _sponsored(items),
        )

    @property
    def model_version(self) -> str | None:
        """Version of the bundle; None without one."""
        return self.bundle.version if self.bundle else None

    def index_for(self, by_terms: ByTerms) -> ItemIndex:
        """An index that holds at least the items so left of which the model knows something."""
        return self.narrowing.index(by_terms.key, by_terms.mask)

    def with_exhausted(self, item_ids: Iterable[str]) -> Self:
        """The same model, with these and only these items' budgets used up. Cheap."""
        return replace(self, tables=self.tables.with_exhausted(item_ids))


class ModelSlot:
    """Where the models that serve now are found; swapping one is one assignment."""

    def __init__(self) -> None:
        self._models: Mapping[str, ServingModel] = {}
        self._writing = Lock()

    def current(self, issuer_id: str) -> ServingModel | None:
        """The issuer's model, to be kept to the end of the request; None when nothing is loaded."""
        return self._models.get(issuer_id)

    def serving(self, issuer_id: str) -> ServingModel:
        """As :meth:`current`, for whom there is nothing to do without one: NothingToServeError."""
        model = self.current(issuer_id)
        if model is None:
            raise NothingToServeError
        return model

    def swap(self, model: ServingModel) -> None:
        """Let a model serve its issuer from the next request on."""
        with self._writing:
            self._models = {**self._models, model.issuer_id: model}

    def refine(self, before: ServingModel, after: ServingModel) -> bool:
        """Let a model that was made from another take its place; not when that serves no more.

        So what is slow to notice a new bundle cannot bring the old one back.
        """
        with self._writing:
            if self._models.get(before.issuer_id) is not before:
                return False
            self._models = {**self._models, after.issuer_id: after}
            return True

    def remove(self, issuer_id: str) -> None:
        """Stop serving an issuer."""
        with self._writing:
            self._models = {i: model for i, model in self._models.items() if i != issuer_id}

    def issuers(self) -> list[str]:
        """Issuers that are served, in order."""
        return sorted(self._models)


def priorities(items: Sequence[Item]) -> NDArray[np.float32]:
    """Business priority of each item within [0, 1]."""
    return np.array([item.priority / 1000 for item in items], np.float32)


def _numbered(names: Sequence[str | None]) -> NDArray[np.int32]:
    """A number for each distinct name; -1 for None."""
    numbers: dict[str, int] = {}
    return np.array(
        [-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names],
        np.int32,
    )


def _newest(items: Sequence[Item]) -> NDArray[np.int32]:
    """Rows by latest start; items without a start last; ties by row."""
    starts = [i.terms.starts_at.timestamp() if i.terms.starts_at else BEFORE_ALL for i in items]
    return np.argsort(-np.array(starts, np.float64), kind="stable").astype(np.int32)


def _sponsored(items: Sequence[Item]) -> NDArray[np.int32]:
    """Rows of sponsored items by descending priority; ties by row."""
    rows = [row for row, item in enumerate(items) if item.sponsored]
    return np.array(sorted(rows, key=lambda row: (-items[row].priority, row)), np.int32)
