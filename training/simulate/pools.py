"""Which merchants are within reach in a city, and how strongly each pulls on average."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import draw_mix
from training.simulate.merchants import PERSONA_PULL, Merchants
from training.simulate.parameters import chance
from training.simulate.trades import PERSONAS, TRADES, persona_loads, usage_shares

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


def mean_draw() -> NDArray[np.float64]:
    """Mean over cardholders of how much stronger taste makes each trade, shape (n_trades,).

    Divided out, so that trades which few love much keep their share in the table. The mean is
    taken over 4,000 fixed draws, the same for every seed.
    """
    mix = draw_mix(chance(0, 9), 4000) - 1 / len(PERSONAS)
    drawn = np.exp(PERSONA_PULL * (mix @ persona_loads().T))
    return np.asarray(drawn.mean(axis=0, dtype=np.float64))


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
    share = share / mean_draw()
    weight = np.maximum(share[trade] * pull / of_trade[trade], 1e-12)
    return Pool(rows, np.log(weight).astype(np.float32))
