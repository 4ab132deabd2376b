"""Smaller indexes for the masks that are asked for most: those of one card, city and channel."""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from embeddings.index import ItemIndex

MOST_BYTES = 32 * 1024 * 1024
MOST_SEEN = 4096
MOST_KEPT = 256
"""Indexes kept, however small: those of a small catalogue take next to no bytes of vectors."""


class Narrowing:
    """Indexes narrowed to masks, made when a mask comes a second time; bounded in bytes.

    Which index answers changes how long it takes and nothing else. Safe to share between threads:
    at worst an index is made twice.

    Parameters
    ----------
    whole : ItemIndex
    known : bool, shape (n_items,)
        Items that are ever searched.
    most_bytes : int
        What all narrowed indexes may hold together; the oldest goes first.
    """

    __slots__ = ("_kept", "_known", "_most_bytes", "_seen", "_whole")

    def __init__(
        self, whole: ItemIndex, known: NDArray[np.bool_], most_bytes: int = MOST_BYTES
    ) -> None:
        self._whole = whole
        self._known = known
        self._most_bytes = most_bytes
        self._kept: dict[Hashable, ItemIndex] = {}
        self._seen: set[Hashable] = set()

    def __len__(self) -> int:
        """How many narrowed indexes are kept."""
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors of all narrowed indexes that are kept."""
        return sum(index.nbytes for index in self._kept.values())

    def index(self, key: Hashable, mask: NDArray[np.bool_]) -> ItemIndex:
        """An index that holds at least the known rows of a mask.

        Parameters
        ----------
        key : names the mask, the same for the same mask
        mask : bool, shape (n_items,)
        """
        found = self._kept.get(key)
        if found is not None:
            return found
        if key not in self._seen:
            self._seen = {key} if len(self._seen) >= MOST_SEEN else {*self._seen, key}
            return self._whole
        narrow = self._whole.narrowed(mask & self._known)
        self._keep(key, narrow)
        return narrow

    def _keep(self, key: Hashable, narrow: ItemIndex) -> None:
        kept = {**self._kept, key: narrow}
        total = sum(index.nbytes for index in kept.values())
        while kept and (total > self._most_bytes or len(kept) > MOST_KEPT):
            total -= kept.pop(next(iter(kept))).nbytes
        self._kept = kept
