"""What a cardholder did after an instant: what the models learn to foresee."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.propensity.features import Features

LEAST_DAYS = 14
RHYTHMS = 3.0
"""Silent is who lets this many of his own usual gaps pass without a purchase."""


def horizon_days(features: Features, longest: int) -> NDArray[np.float64]:
    """How long each one's silence must last to count, by his own rhythm.

    Three times his median gap, at least ``LEAST_DAYS`` and at most ``longest``; ``longest`` for
    those whose rhythm is not known.
    """
    gap = features.column("gap_median_days").astype(np.float64)
    own = np.nan_to_num(RHYTHMS * gap, nan=longest)
    return np.asarray(np.clip(own, min(LEAST_DAYS, longest), longest), np.float64)


def spend_after(
    rows: pl.DataFrame, cardholder_ids: Sequence[str], at: datetime, days: int
) -> NDArray[np.float64]:
    """Net spend in ``[at, at + days)`` in minor units, refunds taken back, never below 0."""
    spent = _within(rows, at, days).group_by("cardholder_id").agg(pl.col("net_minor").sum())
    found = _in_order(spent, cardholder_ids)["net_minor"].fill_null(0)
    return np.asarray(np.maximum(found.cast(pl.Float64).to_numpy(), 0.0), np.float64)


def silent_after(
    rows: pl.DataFrame, cardholder_ids: Sequence[str], at: datetime, horizon: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Who makes no purchase within his own horizon from ``at`` on."""
    purchases = _within(rows, at, int(horizon.max(initial=0)) + 1).filter(pl.col("sign") > 0)
    first = purchases.group_by("cardholder_id").agg(pl.col("occurred_at").min())
    waited = (_in_order(first, cardholder_ids)["occurred_at"] - at).dt.total_seconds() / 86_400
    return np.asarray(waited.fill_null(np.inf).to_numpy() >= horizon, np.bool_)


def _within(rows: pl.DataFrame, at: datetime, days: int) -> pl.DataFrame:
    until = at + timedelta(days=days)
    return rows.filter((pl.col("occurred_at") >= at) & (pl.col("occurred_at") < until))


def _in_order(found: pl.DataFrame, cardholder_ids: Sequence[str]) -> pl.DataFrame:
    every = pl.DataFrame({"cardholder_id": list(cardholder_ids)})
    return every.join(found, on="cardholder_id", how="left", maintain_order="left")
