"""Who may have what, asked item by item: most lists look at a few dozen items of thousands."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def anyone(_row: int) -> bool:
    """Admits every item."""
    return True


class Eligible:
    """The items that one cardholder may have now, judged one at a time or all at once.

    Both say the same of every item; all at once is worked out when first asked for.

    Parameters
    ----------
    open_to_him : bool, shape (n_items,)
        What everything but the last condition leaves; not to be changed.
    bits : the same, to be looked at item by item
    all_at_once : makes the mask of what he may have, bool, shape (n_items,)
    meets : whether he meets the last condition of an item, which is dear to judge for all
    """

    __slots__ = ("__dict__", "_all", "_all_at_once", "bits", "meets")

    def __init__(
        self,
        open_to_him: Mask,
        bits: bytes,
        all_at_once: Callable[[], Mask],
        meets: Callable[[int], bool] = anyone,
    ) -> None:
        self._all = open_to_him
        self.bits = bits
        self._all_at_once = all_at_once
        self.meets = meets

    @classmethod
    def of(cls, mask: Mask) -> "Eligible":
        """Exactly the items of a mask."""
        return cls(mask, mask.tobytes(), lambda: mask)

    def admits(self, row: int) -> bool:
        """Whether he may have an item."""
        return bool(self.bits[row]) and self.meets(row)

    def among(self, rows: NDArray[np.int32]) -> Iterator[int]:
        """Those of these items that he may have, in their order."""
        return filter(self.meets, rows[self._all[rows]].tolist())

    @cached_property
    def mask(self) -> Mask:
        """What he may have, bool, shape (n_items,); not to be changed."""
        return self._all_at_once()
