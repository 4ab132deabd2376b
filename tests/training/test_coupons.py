import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy import sparse

from training.cli import group
from training.coupons import Campaign, compare, product_scores, read_campaigns
from training.errors import BadInputError


def campaign(
    spend: list[list[float]], breadth: list[float], redeemed: list[list[int]], name: str = "1"
) -> Campaign:
    n = len(breadth)
    return Campaign(
        name,
        np.array([f"h{i}" for i in range(len(spend))]),
        np.array(spend, np.float64),
        np.array(breadth, np.float64),
        np.arange(n, 0, -1, dtype=np.float64),
        np.zeros(n),
        sparse.csr_matrix(np.array(redeemed, np.bool_)),
    )


def test_own_spend_counts_by_its_logarithm_and_breadth_by_a_quarter_of_its() -> None:
    found = product_scores(campaign([[9.0, 9.0, 0.0]], [1.0, 16.0, 1.0], [[1, 0, 0]]))[0]

    assert found[0] == pytest.approx(np.log(10))
    assert found[0] - found[1] == pytest.approx(np.log(2))


def test_what_he_never_bought_comes_last_and_by_reach() -> None:
    found = product_scores(campaign([[0.0, 0.5, 0.0]], [1.0, 5000.0, 1.0], [[1, 0, 0]]))[0]

    assert list(np.argsort(-found)) == [1, 0, 2]


def test_the_figures_are_means_over_households_that_redeemed() -> None:
    worlds = [campaign([[9, 1], [1, 9]], [1, 1], [[1, 0], [1, 0]])]
    found = compare(worlds, k=1, seed=0)

    assert found.lists == 2
    assert found.redemptions == 2
    assert found.models["product"] == {"recall": 0.5, "ndcg": 0.5}
    assert found.models["most_redeemed"]["recall"] == 1.0  # nothing known: ties by coupon
    assert found.lead["own_spend"]["recall"]["mean"] == 0.0


def test_without_a_campaign_there_is_nothing_to_judge() -> None:
    with pytest.raises(BadInputError, match="earlier --from"):
        compare([], k=10, seed=0)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Household 1 bought product 10 before and after; campaign 2 began before the window."""
    frames: dict[str, dict[str, list[Any]]] = {
        "campaign_descriptions": {
            "campaign_id": [1, 2],
            "start_date": [date(2025, 3, 1), date(2025, 1, 1)],
        },
        "campaigns": {"campaign_id": [1, 1, 2], "household_id": [1, 2, 1]},
        "coupons": {
            "campaign_id": [1, 1, 1, 2, 2],
            "coupon_upc": [70, 71, 71, 70, 71],
            "product_id": [10, 11, 12, 10, 11],
        },
        "coupon_redemptions": {
            "campaign_id": [1, 2],
            "household_id": [1, 1],
            "coupon_upc": [70, 71],
            "redemption_date": [date(2025, 3, 5), date(2025, 1, 5)],
        },
        "transactions": {
            "household_id": [1, 1, 2, 1],
            "product_id": [10, 12, 11, 10],
            "sales_value": [2.0, 3.0, 5.0, 100.0],
            "transaction_timestamp": [
                datetime(2025, month, day, 9, tzinfo=UTC)
                for month, day in ((2, 1), (2, 2), (2, 3), (3, 1))
            ],
        },
    }
    for name, columns in frames.items():
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_a_campaign_knows_only_what_lies_before_its_first_day(tables: Path) -> None:
    (found,) = read_campaigns(tables, since=date(2025, 2, 1))

    assert found.households.tolist() == ["1"]
    assert found.spend.tolist() == [[2.0, 3.0]]
    assert found.breadth.tolist() == [1, 2]
    assert found.reach.tolist() == [1, 2]
    assert found.redeemed_before.tolist() == [0, 1]
    assert found.redeemed.toarray().tolist() == [[True, False]]


def test_the_command_prints_figures_of_all_three(tables: Path) -> None:
    answer = CliRunner().invoke(
        group, ["coupons", "--tables", str(tables), "--from", "2025-02-01", "--json"]
    )

    assert answer.exit_code == 0, answer.output
    assert set(json.loads(answer.stdout)["models"]) == {"product", "most_redeemed", "own_spend"}


def test_a_missing_table_is_named(tables: Path) -> None:
    (tables / "coupons.parquet").unlink()

    with pytest.raises(BadInputError, match=r"coupons\.parquet"):
        read_campaigns(tables, since=date(2025, 2, 1))
