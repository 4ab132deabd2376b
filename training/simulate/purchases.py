"""What a visit becomes on the books: amount, card, status, refunds."""

import numpy as np
from numpy.typing import NDArray

from training.simulate.merchants import Merchants
from training.simulate.places import STATUSES
from training.simulate.seasons import SECONDS_A_DAY
from training.simulate.trades import TRADES

VISIT = np.dtype(
    [
        ("second", np.int32),
        ("cardholder", np.int32),
        ("merchant", np.int32),
        ("amount_minor", np.int32),
        ("city", np.int8),
        ("product", np.int8),
        ("channel", np.int8),
        ("status", np.int8),
    ]
)
"""One row of card usage: second since the window opened, rows of the tables, -1 for no city."""

DECLINE_SHARE = 0.02
MAX_AMOUNT_MINOR = 20_000_000


def draw_amounts(
    rng: np.random.Generator,
    row: NDArray[np.int32],
    affluence: NDArray[np.float32],
    merchants: Merchants,
) -> NDArray[np.int64]:
    """Minor units, at least 1 yuan, rounded as prices are: yuan, ten fen or not at all."""
    trade = merchants.trade[row]
    median = np.array([t.median_yuan for t in TRADES])[trade]
    spread = np.array([t.spread for t in TRADES])[trade]
    log_yuan = np.log(median) + spread * rng.standard_normal(row.size)
    fen = 100 * np.exp(log_yuan + merchants.price[row] + 0.12 * affluence)
    unit = rng.choice((100, 10, 1), row.size, p=(0.55, 0.3, 0.15))
    return np.asarray(np.clip(np.round(fen / unit) * unit, 100, MAX_AMOUNT_MINOR), np.int64)


def draw_cards(rng: np.random.Generator, products: NDArray[np.int8]) -> NDArray[np.int8]:
    """Card used: the main one mostly, another when there is one."""
    held = (products >= 0).sum(axis=1)
    other = 1 + (rng.random(held.size) * (held - 1)).astype(np.int64)
    slot = np.where((held > 1) & (rng.random(held.size) < 0.25), other, 0)
    return products[np.arange(held.size), slot]


def settle(
    rng: np.random.Generator,
    made: NDArray[np.void],
    owner: NDArray[np.int64],
    refunds: NDArray[np.int64],
    days: int,
) -> NDArray[np.void]:
    """Statuses of the visits, followed by rows of their own for refunds and reversals."""
    end = days * SECONDS_A_DAY
    status = np.where(made["second"] >= end - 2 * SECONDS_A_DAY, "approved", "settled")
    status[rng.random(made.size) < DECLINE_SHARE] = "declined"
    order = np.lexsort((rng.random(made.size), owner))
    start = np.cumsum(np.bincount(owner, minlength=refunds.size))
    place = np.arange(made.size) - (start - np.bincount(owner, minlength=refunds.size))[owner]
    chosen = np.sort(order[place < refunds[owner]])
    status[chosen] = np.where(status[chosen] == "declined", "settled", status[chosen])
    back = made[chosen].copy()
    reversal = rng.random(chosen.size) < 0.3
    lag = np.where(
        reversal,
        rng.integers(60, 3600, chosen.size),
        rng.integers(SECONDS_A_DAY, 15 * SECONDS_A_DAY, chosen.size),
    )
    back["second"] = np.minimum(back["second"].astype(np.int64) + lag, end - 1)
    partly = ~reversal & (rng.random(chosen.size) < 0.2)
    back["amount_minor"][partly] = np.maximum(back["amount_minor"][partly] // 2, 1)
    made["status"] = _status_codes(status)
    back["status"] = _status_codes(np.where(reversal, "reversed", "returned"))
    return np.concatenate([made, back])


def _status_codes(words: NDArray[np.str_]) -> NDArray[np.int8]:
    """Rows of ``STATUSES``."""
    codes = np.zeros(words.size, np.int8)
    for code, status in enumerate(STATUSES):
        codes[words == status] = code
    return codes
