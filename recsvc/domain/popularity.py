"""What the cardholders of a segment use: the source for everyone whose history is not looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from recsvc.domain.cardholder import Profile
from recsvc.domain.space import ItemSpace

EVERYONE = "all"
MOST_CACHED = 64


@dataclass(frozen=True, slots=True, eq=False)
class Popular:
    """The items of which any usage is known in one segment, most used first.

    Parameters
    ----------
    segment : str
    rows : int32, shape (n_used,)        item rows; ties by ascending row
    scores : float32, shape (n_used,)    descending
    """

    segment: str
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, segment: str, shares: NDArray[np.float32], boosts: NDArray[np.float32]) -> Self:
        """Items with a share above 0, by share and boost together."""
        scores = (shares + boosts).astype(np.float32)
        order = np.argsort(-scores, kind="stable").astype(np.int32)
        order = order[shares[order] > 0]
        return cls(segment, order, scores[order])


def chain(profile: Profile) -> list[str]:
    """Segments whose habits stand for a cardholder's, nearest first.

    Product and city together, then the product, then the city, then everyone. Nothing else of the
    cardholder is looked at, so two of one product and city get the same.
    """
    products = [card.card_product_id for card in profile.card_products]
    names = [f"product:{p}|city:{profile.city}" for p in products if profile.city is not None]
    names += [f"product:{product}" for product in products]
    if profile.city is not None:
        names.append(f"city:{profile.city}")
    return [*names, EVERYONE]


class ItemPopularity:
    """Popularity of items in each segment of a bundle, worked out when first asked for.

    An item's *reach* is the share of the segment's cardholders who visit a place where it holds:
    its merchants, else its categories (the largest of them). Its *share* mixes how many of the
    segment used the item itself with what its reach lets one expect, by how much usage is known:
    ``share = a·own + (1 - a)·κ·reach`` with ``a = n / (n + prior)``, where κ is how many use an
    item for each that its reach counts, over all items with usage of their own.

    Parameters
    ----------
    bundle : Bundle, optional
    space : ItemSpace of the same bundle
    """

    def __init__(self, bundle: Bundle | None, space: ItemSpace) -> None:
        self._space = space
        self._table = bundle.model.popularity if bundle else np.empty((0, 0), np.float32)
        self._row_of = {
            name: row for row, name in enumerate(bundle.model.segments if bundle else ())
        }
        self._cache: dict[tuple[str, float], Popular] = {}
        self._priority = np.array([i.priority / 1000 for i in space.items], np.float32)
        self._trust = self._own_trust(bundle)
        self._conversion = self._conversion_rate()

    def known(self, names: Sequence[str]) -> list[str]:
        """Those of these segments that the bundle counted, in the same order."""
        return [name for name in names if name in self._row_of]

    def of(self, segment: str, boost_weight: float) -> Popular:
        """Items by their popularity in a segment; KeyError for a segment that was not counted."""
        found = self._cache.get((segment, boost_weight))
        if found is None:
            shares = self.shares(segment)
            found = Popular.of(segment, shares, np.float32(boost_weight) * self._priority)
            if len(self._cache) >= MOST_CACHED:
                self._cache = {}
            self._cache[segment, boost_weight] = found
        return found

    def shares(self, segment: str) -> NDArray[np.float32]:
        """Share of the segment's cardholders expected to use each item, shape (n_items,)."""
        own, reach = self._own_and_reach(self._table[self._row_of[segment]])
        return np.asarray(
            self._trust * own + (1 - self._trust) * self._conversion * reach, np.float32
        )

    def _own_and_reach(
        self, shares: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Share who used the item itself, and share who visit where it holds."""
        space = self._space
        reach = np.zeros(len(space.items), np.float32)
        at_merchants = np.zeros(len(space.items), np.bool_)
        at_merchants[space.merchants.items] = True
        for attached, counts in (
            (space.merchants, np.ones(space.merchants.items.size, np.bool_)),
            (space.categories, ~at_merchants[space.categories.items]),
        ):
            columns = attached.column_of_each()
            trained = counts & (columns < shares.size)
            np.maximum.at(reach, attached.items[trained], shares[columns[trained]])
        own = np.where(space.own >= 0, shares[np.maximum(space.own, 0)], 0)
        return own.astype(np.float32), reach

    def _own_trust(self, bundle: Bundle | None) -> NDArray[np.float32]:
        """``n / (n + prior)`` of the cardholders who used each item itself."""
        if bundle is None:
            return np.zeros(len(self._space.items), np.float32)
        behind = bundle.model.column_cardholders[np.maximum(self._space.own, 0)]
        behind = np.where(self._space.own >= 0, behind, 0).astype(np.float32)
        return np.asarray(behind / (behind + bundle.manifest.mix.own_prior), np.float32)

    def _conversion_rate(self) -> float:
        """κ: cardholders who used an item for each that its reach counts; 1 where nothing tells."""
        if EVERYONE not in self._row_of:
            return 1.0
        own, reach = self._own_and_reach(self._table[self._row_of[EVERYONE]])
        used = (own > 0) & (reach > 0)
        return float(own[used].sum() / reach[used].sum()) if used.any() else 1.0
