"""Coupons of campaigns: figures by hand, and a grocer's world in which the answer is known."""
# ruff: noqa: DTZ001 - the data set's times carry no zone

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from training.cli import group
from training.config import Settings
from training.errors import BadInputError
from training.exams.coupons.exam import Exam, exam_of, impressions_before
from training.exams.coupons.figures import chosen_weight, household_rank, ndcg, product
from training.exams.coupons.journey import Campaign, Journey, read_journey
from training.exams.coupons.trials import model_before

OPENS = datetime(2017, 1, 1, 12)
EPOCH = datetime(1970, 1, 1)
STARTS = {1: datetime(2017, 3, 3), 2: datetime(2017, 5, 2)}
N = 48
PRODUCTS = range(8)


def colour(household: int) -> int:
    """Even households shop in category A (products 0 to 3), odd ones in B."""
    return household % 2


def own_products(household: int) -> list[int]:
    """Two of the four products of his colour, a different two for each neighbour."""
    first = (household // 2) % 4
    return [4 * colour(household) + (first + step) % 4 for step in (0, 1)]


def untried(household: int) -> int:
    """The product of his colour after those he buys: the coupon he redeems."""
    return 4 * colour(household) + ((household // 2) % 4 + 2) % 4


def world(folder: Path) -> Path:
    """Purchases once a week, two campaigns of all eight coupons to all."""
    bought = [
        (h, p, 2.0, OPENS + timedelta(days=7 * week + h % 7))
        for h in range(N)
        for p in own_products(h)
        for week in range(20)
    ]
    tables = {
        "transactions": pl.DataFrame(
            {
                "household_id": [row[0] for row in bought],
                "product_id": [row[1] for row in bought],
                "quantity": [1] * len(bought),
                "sales_value": [row[2] for row in bought],
                "transaction_timestamp": [row[3] for row in bought],
            }
        ),
        "products": pl.DataFrame(
            {
                "product_id": list(PRODUCTS),
                "manufacturer_id": [100 + p for p in PRODUCTS],
                "product_category": ["Cat A" if p < 4 else "Cat B" for p in PRODUCTS],
            }
        ),
        "campaigns": pl.DataFrame(
            [(c, h) for c in STARTS for h in range(N)],
            ["campaign_id", "household_id"],
            orient="row",
        ),
        "campaign_descriptions": pl.DataFrame(
            {"campaign_id": list(STARTS), "start_date": list(STARTS.values())}
        ),
        "coupons": pl.DataFrame(
            [(p, p, c) for c in STARTS for p in PRODUCTS],
            ["coupon_upc", "product_id", "campaign_id"],
            orient="row",
        ),
        "coupon_redemptions": pl.DataFrame(
            [(h, untried(h), c, STARTS[c] + timedelta(days=9)) for c in STARTS for h in range(36)],
            ["household_id", "coupon_upc", "campaign_id", "redemption_date"],
            orient="row",
        ),
    }
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """The world, read."""
    return read_journey(world(tmp_path_factory.mktemp("journey")))


def test_a_brand_line_is_the_merchant_and_a_coupon_hangs_on_its_lines(journey: Journey) -> None:
    assert set(journey.usage["merchant_id"].unique()) == {
        f"{100 + p}_{'cat-a' if p < 4 else 'cat-b'}" for p in PRODUCTS
    }
    assert [item.merchants() for item in journey.catalog.items][:1] == [("100_cat-a",)]
    assert journey.usage["amount_minor"].unique().to_list() == [200]
    assert [campaign.day for campaign in journey.campaigns] == [
        (start - EPOCH).days for start in STARTS.values()
    ]


def test_ndcg_of_redeemers_is_worked_out_by_hand() -> None:
    redeemed = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], bool)
    scores = np.array([[3, 2, 1], [1, 2, 3], [5, 5, 9]], np.float32)
    third = 1 / np.log2(3)

    found = ndcg(redeemed, scores, 2)

    assert found == pytest.approx([1 / (1 + third), 0.0])
    assert ndcg(redeemed, scores, 3)[1] == pytest.approx(0.5)


def test_the_rank_of_a_redeemer_is_the_share_of_others_below_him() -> None:
    redeemed = np.array([[1], [0], [0], [0], [0]], bool)
    scores = np.array([[5], [1], [5], [9], [2]], np.float32)

    assert household_rank(redeemed, scores) == pytest.approx([2.5 / 4])
    assert household_rank(redeemed[:1], scores[:1]).size == 0


def an_exam(redeemed: np.ndarray, fit: np.ndarray, spend: np.ndarray) -> Exam:
    n, m = redeemed.shape
    campaign = Campaign(1, 0, tuple(map(str, range(n))), tuple(map(str, range(m))))
    scores = {
        "fit": fit.astype(np.float32),
        "own_spend": spend.astype(np.float32),
        "breadth": np.tile(np.array([1, 16, 1], np.float32)[:m], (n, 1)),
    }
    return Exam(campaign, campaign.households, redeemed.astype(bool), scores)


def test_the_habit_weight_is_the_least_that_serves_the_earlier_campaigns_best() -> None:
    redeemed = np.eye(3)
    right, wrong = np.eye(3), -np.eye(3)

    assert chosen_weight([an_exam(redeemed, right, wrong * 0)], 3) == 0.0
    assert chosen_weight([an_exam(redeemed, 0.15 * wrong, 9 * right)], 3) == 0.1


def test_the_product_adds_what_he_spends_there_anyway_and_less_for_a_wide_coupon() -> None:
    exam = an_exam(np.eye(2), np.array([[0.25, 0.5], [0, 0]]), np.array([[3, 0], [0, 1]]))

    narrow, wide = 2.5 + np.log(4), 2.5 + np.log(2) - np.log(16) / 4
    expected = [[0.25 + 0.5 * narrow, 0.5], [0, 0.5 * wide]]
    np.testing.assert_allclose(product(exam, 0.5), expected, rtol=1e-6)


def test_nothing_that_happens_after_a_campaign_starts_changes_its_ranking(journey: Journey) -> None:
    second = journey.campaigns[1]
    first_of_may = (datetime(2017, 5, 1) - EPOCH).days
    settled = pl.col("occurred_at").dt.epoch("d") < first_of_may
    past = Journey(
        journey.usage.filter(settled),
        journey.own.filter(pl.col("day") < second.day),
        journey.redeemed.filter(pl.col("day") < second.day),
        journey.holds,
        journey.campaigns,
        journey.catalog,
    )
    whole, before = (
        exam_of(one, second, model_before(one, first_of_may, Settings(), seed=0, n_threads=1), 0)
        for one in (journey, past)
    )

    for name, scores in whole.scores.items():
        np.testing.assert_array_equal(scores, before.scores[name], err_msg=name)
    assert whole.redeemed.sum() == 36
    assert not before.redeemed.any()


def test_only_campaigns_that_could_be_answered_teach(journey: Journey) -> None:
    model = model_before(journey, journey.campaigns[1].day, Settings(), seed=0, n_threads=1)
    first, second = journey.campaigns
    soon = Campaign(2, first.day + 27, second.households, second.coupons)

    seen = impressions_before(journey, second, model, journey.redeemed)
    assert len(seen) == N * len(PRODUCTS)
    assert int(seen.taken_up.sum()) == 36
    assert len(impressions_before(journey, soon, model, journey.redeemed)) == 0


def test_the_product_finds_the_coupon_that_neither_spend_nor_redemptions_tell(
    tmp_path: Path,
) -> None:
    arguments = ["--source", str(world(tmp_path)), "--earlier", "1", "--k", "3", "--json"]
    done = CliRunner().invoke(group, ["coupons", *arguments], catch_exceptions=False)
    answer = json.loads(done.stdout)

    assert answer["earlier_campaigns"] == [1]
    assert answer["campaigns"] == [2]
    assert answer["households"] == answer["redemptions"] == 36
    for baseline in ("own_spend", "most_redeemed", "random"):
        assert answer["leads"][baseline]["low"] > 0, answer
    assert set(answer["household_rank"]) == {"product", "own_spend", "random"}


def test_a_folder_that_lacks_a_table_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"transactions\.parquet"):
        read_journey(tmp_path)
