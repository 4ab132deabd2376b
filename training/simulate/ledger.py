"""What is remembered of usage as it streams past: spend, and visits that terms ask about."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from training.simulate.parameters import Parameters
from training.simulate.places import STATUSES
from training.simulate.seasons import SECONDS_A_DAY

RECENT_DAYS = 90
_SIGN = np.array([{"declined": 0, "reversed": -1, "returned": -1}.get(s, 1) for s in STATUSES])


class Ledger:
    """Counts as usage passes; memory is a few numbers a cardholder.

    Parameters
    ----------
    asked : Parameters
    watched : int32
        Rows of merchants whose visits are kept, for offers that ask about recency.
    n_merchants : int
    """

    def __init__(self, asked: Parameters, watched: NDArray[np.int32], n_merchants: int) -> None:
        self._asked, self._watched = asked, np.zeros(n_merchants, bool)
        self._watched[watched] = True
        self._n_merchants = n_merchants
        self._keys: list[NDArray[np.int64]] = []
        self._sorted = False
        self.transactions = np.zeros(asked.cardholders, np.int64)
        self.spend_minor = np.zeros(asked.cardholders, np.int64)
        self.recent_spend_minor = np.zeros(asked.cardholders, np.int64)
        self.purchases_at = np.zeros(n_merchants, np.int64)

    def watching(self, batches: Iterable[NDArray[np.void]]) -> Iterator[NDArray[np.void]]:
        """Pass the batches on, remembering."""
        for batch in batches:
            self._remember(batch)
            yield batch

    def _remember(self, batch: NDArray[np.void]) -> None:
        """Add one batch."""
        who, sign = batch["cardholder"], _SIGN[batch["status"]]
        signed = sign * batch["amount_minor"].astype(np.int64)
        since = (self._asked.days - RECENT_DAYS) * SECONDS_A_DAY
        np.add.at(self.transactions, who, sign > 0)
        np.add.at(self.spend_minor, who, signed)
        np.add.at(self.recent_spend_minor, who, np.where(batch["second"] >= since, signed, 0))
        np.add.at(self.purchases_at, batch["merchant"], sign > 0)
        kept = batch[self._watched[batch["merchant"]] & (sign > 0)]
        day = kept["second"] // SECONDS_A_DAY
        self._keys.append(self._key(kept["cardholder"], kept["merchant"], day))

    def _key(
        self, who: NDArray[np.int32], merchant: NDArray[np.int32], day: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """One ascending number for a cardholder, a merchant and a day."""
        pair = who.astype(np.int64) * self._n_merchants + merchant
        return pair * self._asked.days + day

    def visited_since(
        self,
        who: NDArray[np.int32],
        merchant: NDArray[np.int32],
        first_day: NDArray[np.int32],
        end_day: NDArray[np.int32],
    ) -> NDArray[np.bool_]:
        """Whether each cardholder bought at the watched merchant on a day in ``[first, end)``."""
        keys = self._sorted_keys()
        low = np.searchsorted(keys, self._key(who, merchant, np.maximum(first_day, 0)))
        high = np.searchsorted(keys, self._key(who, merchant, end_day))
        return high > low

    def _sorted_keys(self) -> NDArray[np.int64]:
        """All kept visits in order; sorted once."""
        if len(self._keys) != 1 or not self._sorted:
            self._keys = [np.sort(np.concatenate([np.empty(0, np.int64), *self._keys]))]
            self._sorted = True
        return self._keys[0]
