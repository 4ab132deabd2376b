"""Masks over all items, kept for whoever comes with the same cards, place, channel and time."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_CACHED_BYTES = 8 * 1024 * 1024
ENTRY_BYTES = 1024
"""What a mask takes beside its bytes, which are kept twice: its key, with names that callers
chose, and its place."""


class ByTerms(NamedTuple):
    """Items whose terms hold for anyone with the same cards, place, channel and time slot.

    Parameters
    ----------
    key : names the mask
    mask : bool, shape (n_items,); shared, not to be changed
    bits : the same mask, a byte an item, to be looked at item by item
    """

    key: Hashable
    mask: NDArray[np.bool_]
    bits: bytes


class MaskCache:
    """Masks that were worked out lately; emptied when it holds too many bytes.

    Safe to share between threads: at worst a mask is worked out twice.
    """

    __slots__ = ("_masks",)

    def __init__(self) -> None:
        self._masks: dict[Hashable, ByTerms] = {}

    def get(self, key: Hashable) -> ByTerms | None:
        """The mask kept under a key, not to be changed; None when there is none."""
        return self._masks.get(key)

    def put(self, key: Hashable, mask: NDArray[np.bool_]) -> ByTerms:
        """Keep a mask."""
        if (len(self._masks) + 1) * (2 * mask.nbytes + ENTRY_BYTES) > MOST_CACHED_BYTES:
            self._masks = {}
        kept = self._masks[key] = ByTerms(key, mask, mask.tobytes())
        return kept
