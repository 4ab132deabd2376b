"""When people buy: months, weekdays and hours, in the cardholders' own zone (UTC+8)."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from training.simulate.trades import TRADES

SECONDS_A_DAY = 86_400

MONTHS = {
    "flat": (1,) * 12,
    "festival": (1.4, 1.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 1.1, 1.0, 0.9, 1.2),
    "holiday": (0.9, 1.3, 0.7, 1.0, 1.2, 0.9, 1.5, 1.5, 0.8, 1.5, 0.6, 0.7),
    "shopping": (1.1, 0.8, 1.0, 1.0, 1.0, 1.1, 0.8, 0.8, 1.1, 1.1, 1.5, 1.3),
    "online": (0.9, 0.7, 1.0, 0.9, 0.9, 1.5, 0.8, 0.8, 0.9, 1.0, 1.9, 1.2),
    "gift": (0.9, 1.6, 0.9, 0.8, 1.5, 1.0, 0.8, 1.2, 1.0, 0.9, 0.9, 1.4),
    "screen": (1.3, 1.5, 0.7, 0.8, 1.0, 0.9, 1.4, 1.4, 0.7, 1.2, 0.7, 0.9),
    "newyear": (1.6, 0.9, 1.4, 1.1, 1.0, 0.9, 0.9, 0.8, 0.9, 0.8, 0.8, 1.1),
    "school": (0.8, 1.4, 1.0, 0.8, 0.8, 0.9, 1.2, 1.6, 1.6, 0.7, 0.7, 0.7),
    "winter": (1.4, 1.2, 1.0, 0.9, 0.8, 0.8, 0.8, 0.8, 0.9, 1.0, 1.2, 1.4),
    "power": (1.3, 1.2, 0.9, 0.7, 0.7, 1.0, 1.5, 1.6, 1.1, 0.7, 0.8, 1.2),
}
"""January to December; Spring Festival, Labour Day, 618, National Day and Double Eleven show."""

WEEKDAYS = {
    "flat": (1,) * 7,
    "workday": (1.1, 1.1, 1.1, 1.1, 1.1, 0.7, 0.6),
    "weekend": (0.7, 0.7, 0.75, 0.8, 1.1, 1.6, 1.5),
}
"""Monday to Sunday."""

PEAKS = {
    "commute": ((8.2, 1.0, 5), (18.3, 1.3, 4), (13, 3, 2)),
    "meals": ((12.1, 0.8, 5), (18.8, 1.1, 6), (15, 3, 1)),
    "shop": ((11.5, 1.5, 2), (15.5, 2, 3), (19.5, 1.5, 4)),
    "evening": ((10.5, 1.5, 1.5), (18.8, 1.6, 5)),
    "night": ((20.5, 1.6, 6), (23, 1, 1.5), (15, 2, 1)),
    "online": ((12.8, 1.2, 2), (21.3, 1.6, 5), (9.8, 2, 1.5)),
    "office": ((10, 1, 5), (15, 1.2, 4)),
}
"""Hour, spread in hours, weight of each bump of the day."""


def day_weights(opens_at: datetime, days: int) -> NDArray[np.float64]:
    """Weight of each day of the window in all spending, shape (days,)."""
    months, weekdays = _calendar(opens_at, days)
    rhythm = np.array((0.96, 0.95, 0.97, 1.0, 1.08, 1.08, 1.0))
    year = np.array((1.05, 1.05, 0.95, 0.95, 1.0, 1.05, 1.0, 1.0, 1.0, 1.05, 1.15, 1.1))
    return np.asarray(year[months] * rhythm[weekdays], np.float64)


def acceptance(opens_at: datetime, days: int) -> NDArray[np.float32]:
    """Probability in (0, 1] that a visit of a trade thought of on a day is made that day.

    Returns
    -------
    float32, shape (n_trades, days)
    """
    months, weekdays = _calendar(opens_at, days)
    season = np.array([MONTHS[t.season] for t in TRADES], np.float32)
    week = np.array([WEEKDAYS[t.week] for t in TRADES], np.float32)
    weight = season[:, months] * week[:, weekdays]
    weight /= (season.max(axis=1) * week.max(axis=1))[:, None]
    return weight.astype(np.float32)


def acceptance_mean(opens_at: datetime, days: int) -> NDArray[np.float64]:
    """Mean acceptance of each trade, to be divided out so that shares stay as in the table."""
    return np.asarray(acceptance(opens_at, days).mean(axis=1), np.float64)


def hour_cdf() -> NDArray[np.float64]:
    """Cumulative share of a trade's visits by half hour, shape (n_trades, 48); last is 1."""
    middle = np.arange(48) / 2 + 0.25
    rows = []
    for trade in TRADES:
        bumps = [w * np.exp(-0.5 * ((middle - h) / s) ** 2) / s for h, s, w in PEAKS[trade.hours]]
        rows.append(np.cumsum(np.sum(bumps, axis=0) + 0.005))
    table = np.array(rows)
    return np.asarray(table / table[:, -1:], np.float64)


def _calendar(opens_at: datetime, days: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Month (0-11) and weekday (Monday 0) of each local day of the window."""
    first = (opens_at.astimezone(UTC) + timedelta(hours=8)).date()
    dates = [first + timedelta(days=d) for d in range(days)]
    return np.array([d.month - 1 for d in dates]), np.array([d.weekday() for d in dates])
