"""A cardholder as of an instant: how lately, how often, how much, how regularly, how widely."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.errors import BadInputError

SPANS_DAYS = (30, 90, 365)
SIGNS = {"reversed": -1, "returned": -1, "declined": 0}
"""How a status counts; any other, or none, is a purchase."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What is known of each cardholder at one instant.

    Parameters
    ----------
    names : tuple of str
    matrix : float32, shape (n_cardholders, n_features)   NaN where not known
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float32]

    def column(self, name: str) -> NDArray[np.float32]:
        """One feature of all cardholders."""
        return self.matrix[:, self.names.index(name)]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Who bought anything before the instant."""
        return ~np.isnan(self.column("recency_days"))


def signed(usage: pl.LazyFrame) -> pl.LazyFrame:
    """Card usage with ``sign`` (1 purchase, -1 refund) and ``net_minor``, declines left out.

    Amounts in other currencies than the commonest are visits without an amount: they cannot be
    added up.
    """
    columns = usage.collect_schema().names()
    status = pl.col("status") if "status" in columns else pl.lit(None, pl.String)
    commonest = pl.col("currency") == pl.col("currency").mode().sort().first()
    sign = status.replace_strict(SIGNS, default=1, return_dtype=pl.Int64)
    mcc = pl.col("mcc") if "mcc" in columns else pl.lit(None, pl.String)
    return (
        usage.with_columns(sign=sign, mcc=mcc, counts=commonest)
        .filter(pl.col("sign") != 0)
        .with_columns(
            net_minor=pl.when("counts").then(pl.col("amount_minor") * pl.col("sign")).otherwise(0)
        )
        .select("cardholder_id", "merchant_id", "mcc", "occurred_at", "sign", "net_minor")
    )


def features_at(rows: pl.DataFrame, cardholder_ids: Sequence[str], at: datetime) -> Features:
    """Features of these cardholders, from what happened before ``at`` only.

    Parameters
    ----------
    rows : frame of :func:`signed`
    cardholder_ids : in the order of the answer's rows
    at : aware instant; usage at or after it is not looked at
    """
    since = at - timedelta(days=max(SPANS_DAYS))
    before = rows.filter(pl.col("occurred_at") < at)
    recent = before.filter(pl.col("occurred_at") >= since)
    table = (
        pl.DataFrame({"cardholder_id": list(cardholder_ids)})
        .join(_whole(before, at), on="cardholder_id", how="left", maintain_order="left")
        .join(_recent(recent, at), on="cardholder_id", how="left", maintain_order="left")
        .join(_rhythm(recent), on="cardholder_id", how="left", maintain_order="left")
        .with_columns(
            overdue=pl.col("recency_days") / pl.max_horizontal("gap_median_days", pl.lit(1.0)),
            trend_90=pl.col("spend_90") - pl.col("spend_90_before"),
        )
        .drop("cardholder_id")
    )
    matrix = table.cast(pl.Float32).fill_null(float("nan")).to_numpy()
    return Features(tuple(table.columns), np.ascontiguousarray(matrix, np.float32))


def _days_to(at: datetime) -> pl.Expr:
    return (pl.lit(at) - pl.col("occurred_at")).dt.total_seconds() / 86_400


def _whole(before: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """How lately and since when, from purchases of all time."""
    age = _days_to(at)
    return (
        before.filter(pl.col("sign") > 0)
        .group_by("cardholder_id")
        .agg(recency_days=age.min(), tenure_days=age.max())
    )


def _recent(recent: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """How often, how much and how widely, over each span."""
    age, bought = _days_to(at), pl.col("sign") > 0
    parts: dict[str, pl.Expr] = {}
    for days in SPANS_DAYS:
        within = age <= days
        parts[f"purchases_{days}"] = (bought & within).sum()
        parts[f"spend_{days}"] = pl.col("net_minor").filter(within).sum()
        parts[f"merchants_{days}"] = pl.col("merchant_id").filter(bought & within).n_unique()
    before_90 = (age > 90) & (age <= 180)
    return recent.group_by("cardholder_id").agg(
        **parts,
        spend_90_before=pl.col("net_minor").filter(before_90).sum(),
        categories_365=pl.col("mcc").filter(bought).n_unique(),
        refund_share=(~bought).mean(),
        ticket_median=pl.col("net_minor").filter(bought).median(),
        ticket_max=pl.col("net_minor").filter(bought).max(),
        weekend_share=(pl.col("occurred_at").dt.weekday() >= 6).filter(bought).mean(),
    )


def _rhythm(recent: pl.DataFrame) -> pl.DataFrame:
    """Days between days with a purchase: the cardholder's own rhythm."""
    gap = pl.col("day").diff().dt.total_days().over("cardholder_id", order_by="day")
    return (
        recent.filter(pl.col("sign") > 0)
        .select("cardholder_id", day=pl.col("occurred_at").dt.date())
        .unique()
        .with_columns(gap=gap)
        .group_by("cardholder_id")
        .agg(
            active_days=pl.len(),
            gap_median_days=pl.col("gap").median(),
            gap_spread=pl.col("gap").std() / pl.col("gap").mean(),
            gap_longest_days=pl.col("gap").max(),
        )
    )


def first_at(rows: pl.DataFrame) -> datetime:
    """First instant of usage; BadInputError when there is none."""
    first = rows["occurred_at"].min()
    if isinstance(first, datetime):
        return first
    raise BadInputError("usage: no purchase or refund to learn from")
