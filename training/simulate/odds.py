"""From tastes to probabilities: how likely a cardholder is to activate what he is shown."""

import numpy as np
from numpy.typing import NDArray

BASE_LOG_ODDS = -2.7
TASTE_SCALE = 0.6
ELSEWHERE = -2.0

Floats = NDArray[np.float64]
TERMS = ("product", "tier", "city", "segment")


def log_odds(
    taste: NDArray[np.float32],
    home: NDArray[np.int8],
    position: NDArray[np.float32],
    offset: NDArray[np.float32],
    city: NDArray[np.int8],
) -> Floats:
    """Utility of each item (second axis) for each cardholder (first axis)."""
    fit = TASTE_SCALE * (taste.astype(np.float64) @ position.T.astype(np.float64))
    elsewhere = (city >= 0) & (city != home[:, None])
    return BASE_LOG_ODDS + fit + offset + np.where(elsewhere, ELSEWHERE, 0.0)


def admitted(
    has: dict[str, NDArray[np.int64]], wanted: dict[str, NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """Whether each cardholder's bits meet each item's; 0 wanted admits everyone."""
    fits = np.ones((has["city"].size, wanted["city"].size), bool)
    for word in TERMS:
        fits &= (wanted[word] == 0) | ((has[word][:, None] & wanted[word]) != 0)
    return fits


def sigmoid(log_odds_: Floats) -> Floats:
    """Probability of log-odds, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds_)), np.float64)
