"""Which merchants are within reach in a city, and how strongly each pulls on average."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.merchants import Merchants
from training.simulate.trades import TRADES, usage_shares

HOME_TRADES = {"travel": 0.6}
AWAY_TRADES = {"travel": 5.0, "dining": 1.5, "transport": 1.2, "utilities": 0.0, "home": 0.1}
"""How much more or less a category is met at home and on a trip than its table share."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Merchants within reach of one city.

    Parameters
    ----------
    rows : int32, shape (n,)
        Merchant rows, ascending.
    base : float32, shape (n,)
        Log share of visits at average taste, less the trade's mean acceptance.
    """

    rows: NDArray[np.int32]
    base: NDArray[np.float32]


def pool_of(merchants: Merchants, city: int, accepted: NDArray[np.float64], *, away: bool) -> Pool:
    """Merchants of the city and those met everywhere, each trade having its table share.

    A trade nobody within reach plies gives its share to the others.
    """
    rows = np.flatnonzero((merchants.city == city) | (merchants.city < 0)).astype(np.int32)
    trade = merchants.trade[rows]
    pull = np.exp(merchants.pull[rows])
    of_trade = np.bincount(trade, pull, len(TRADES))
    share = usage_shares() / accepted
    factor, other = (AWAY_TRADES, 0.6) if away else (HOME_TRADES, 1.0)
    share = share * np.array([factor.get(t.category, other) for t in TRADES])
    weight = np.maximum(share[trade] * pull / of_trade[trade], 1e-12)
    return Pool(rows, np.log(weight).astype(np.float32))
