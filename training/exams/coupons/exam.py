"""One campaign as an exam: what was known before it started, and what was redeemed in it."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embeddings.appeal import Appeal
from embeddings.compose import Composition
from embeddings.model import Model
from training.appeal import AppealRule, Impressions, learn
from training.exams.coupons.journey import Campaign, Journey

Table = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One campaign's households and coupons.

    Parameters
    ----------
    campaign : Campaign
    households : tuple of str      those of its recipients that the model knows
    redeemed : bool, shape (n_households, n_coupons)
    scores : mapping of name to float32, shape (n_households, n_coupons)
        ``fit`` (the product's score for a cardholder's vector) and the baselines, of which
        ``own_spend`` is also what the product's habit term reads.
    """

    campaign: Campaign
    households: tuple[str, ...]
    redeemed: NDArray[np.bool_]
    scores: dict[str, Table]


def exam_of(journey: Journey, campaign: Campaign, model: Model, seed: int) -> Exam:
    """Exam of a campaign, from what had happened before its first day.

    Parameters
    ----------
    journey : Journey
    campaign : Campaign
    model : Model
        Fitted to usage before the campaign; households it does not know are left out.
    seed : int
    """
    rows, known = model.cardholders.rows(campaign.households)
    holders = [name for name, is_in in zip(campaign.households, known, strict=True) if is_in]
    own_rows = rows[known].astype(np.int64)
    earlier = journey.redeemed.filter(pl.col("day") < campaign.day)
    its = [model.catalog.row(item) or 0 for item in campaign.coupons]
    taught = replace(model, appeal=_appeal(journey, campaign, model, earlier))
    bought = journey.own.filter(pl.col("day") < campaign.day)
    spend = _pairs(bought, holders, campaign.coupons, "spend")
    buyers = _counts(bought.select("cardholder_id", "item_id").unique(), campaign.coupons)
    redeemers = _counts(earlier, campaign.coupons)
    everyone = np.ones((own_rows.size, 1), np.float32)
    later = journey.redeemed.filter(
        pl.col("campaign_id") == campaign.campaign_id, pl.col("day") >= campaign.day
    ).with_columns(pl.lit(1.0).alias("one"))
    return Exam(
        campaign,
        tuple(holders),
        _pairs(later, holders, campaign.coupons, "one") > 0,
        {
            "fit": _fit(taught, own_rows, its),
            "own_spend": spend,
            "most_redeemed": everyone * (redeemers + buyers / (1 + buyers.max(initial=0))),
            "most_bought": everyone * buyers,
            "breadth": everyone * _breadth(journey, campaign.coupons),
            "random": np.random.default_rng(seed).random(spend.shape, np.float32),
        },
    )


def _appeal(
    journey: Journey, campaign: Campaign, model: Model, earlier: pl.DataFrame
) -> Appeal | None:
    """What earlier campaigns taught."""
    seen = impressions_before(journey, campaign, model, earlier)
    return learn(model, seen, AppealRule(), n_threads=0)


def impressions_before(
    journey: Journey, campaign: Campaign, model: Model, earlier: pl.DataFrame
) -> Impressions:
    """Coupons that earlier campaigns sent to each household, and whether he redeemed them by then.

    Only campaigns that started four weeks before: later ones have hardly been answered yet.
    """
    sent = [
        pl.DataFrame({"cardholder_id": one.households}).join(
            pl.DataFrame({"item_id": one.coupons}), how="cross"
        )
        for one in journey.campaigns
        if one.day <= campaign.day - ANSWER_DAYS and one.households and one.coupons
    ]
    empty = pl.DataFrame(schema={"cardholder_id": pl.String(), "item_id": pl.String()})
    pairs = pl.concat([empty, *sent]).unique()
    rows = _row_table(list(model.cardholders), "cardholder_id", "cardholder")
    items = _row_table([item.item_id for item in model.catalog.items], "item_id", "item")
    answers = earlier.select("cardholder_id", "item_id").unique().with_columns(taken=pl.lit(True))  # noqa: FBT003
    found = (
        pairs.join(rows, on="cardholder_id")
        .join(items, on="item_id")
        .join(answers, on=["cardholder_id", "item_id"], how="left")
        .sort("cardholder", "item")
    )
    taken = found["taken"].fill_null(value=False).to_numpy().astype(np.bool_)
    return Impressions(
        found["cardholder"].to_numpy().astype(np.int64),
        found["item"].to_numpy().astype(np.int64),
        taken,
        taken,
    )


ANSWER_DAYS = 28


def _fit(model: Model, rows: NDArray[np.int64], its: list[int]) -> Table:
    """The product's score without visits."""
    composer = model.composer(Composition())
    composed = [composer.compose(model.catalog.items[item]) for item in its]
    pulls = np.array([one.pull for one in composed], np.float32)
    biases = np.array([one.bias for one in composed], np.float32)
    return np.asarray(model.factors.cardholders[rows] @ pulls.T + biases, np.float32)


def _pairs(table: pl.DataFrame, holders: list[str], items: tuple[str, ...], value: str) -> Table:
    """Sum of a column for each household and coupon, float32, shape (n_holders, n_items)."""
    found = np.zeros((len(holders), len(items)), np.float32)
    at = table.join(_row_table(holders, "cardholder_id", "who"), on="cardholder_id").join(
        _row_table(list(items), "item_id", "what"), on="item_id"
    )
    np.add.at(found, (at["who"].to_numpy(), at["what"].to_numpy()), at[value].to_numpy())
    return found


def _counts(table: pl.DataFrame, items: tuple[str, ...]) -> Table:
    """Rows of each coupon, float32, shape (n_items,)."""
    at = table.join(_row_table(list(items), "item_id", "what"), on="item_id")
    return np.bincount(at["what"].to_numpy(), minlength=len(items)).astype(np.float32)


def _breadth(journey: Journey, items: tuple[str, ...]) -> NDArray[np.float32]:
    """Products each coupon holds for, at least 1, float32, shape (n_items,)."""
    return np.maximum(_counts(journey.holds, items), 1)


def _row_table(names: list[str], name: str, row: str) -> pl.DataFrame:
    schema = {name: pl.String(), row: pl.Int64()}
    return pl.DataFrame({name: names, row: np.arange(len(names))}, schema=schema)
