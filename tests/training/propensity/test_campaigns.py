"""Campaigns with a holdout, as a file brings them and as a run learns from them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from embeddings.shelf import Shelf
from training.cli import group
from training.errors import BadInputError
from training.propensity import Responses, fit, read_campaigns

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")


def pushes(**changes: Any) -> pl.DataFrame:
    """Two campaigns, the later one first; a column of None is left out."""
    instants = [AT + timedelta(days=9), AT, AT + timedelta(days=8)]
    columns = {
        "campaign_id": ["late", "early", "late"],
        "cardholder_id": ["ch_2", "ch_1", "ch_1"],
        "assigned_at": pl.Series(instants, dtype=INSTANT),
        "treated": [True, True, False],
        "activated": [True, False, False],
        "remark": ["a", "b", "c"],
    }
    return pl.DataFrame({k: v for k, v in {**columns, **changes}.items() if v is not None})


def told(campaigns: tuple[Responses, ...]) -> list[tuple[Any, ...]]:
    return [
        (one.pushed_at, one.cardholder_ids, one.treated.tolist(), one.outcome.tolist())
        for one in campaigns
    ]


@pytest.mark.parametrize("suffix", ["parquet", "ndjson"])
def test_campaigns_come_in_order_of_time_each_as_of_its_first_assignment(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"pushes.{suffix}"
    if suffix == "parquet":
        pushes().write_parquet(path)
    else:
        as_text = pl.col("assigned_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        pushes().with_columns(as_text).write_ndjson(path)

    assert told(read_campaigns(path)) == [
        (AT, ["ch_1"], [True], [0.0]),
        (AT + timedelta(days=8), ["ch_1", "ch_2"], [False, True], [0.0, 1.0]),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"treated": None}, "no column treated; needed are campaign_id"),
        ({"treated": [1, 0, 1]}, "column treated is Int64, needs Boolean"),
        ({"activated": [True, None, None]}, "column activated is empty or unreadable in row 2"),
        ({"assigned_at": ["yesterday"] * 3}, "column assigned_at is empty or unreadable in row 1"),
    ],
)
def test_a_file_of_another_form_is_refused_by_column(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    path = tmp_path / "pushes.parquet"
    pushes(**changes).write_parquet(path)

    with pytest.raises(BadInputError, match=words):
        read_campaigns(path)


def test_too_small_a_holdout_leaves_the_other_scores_and_says_why() -> None:
    ids = [f"ch_{n}" for n in range(120)]
    visits = [(name, AT - timedelta(days=10 * visit + 1)) for name in ids for visit in range(30)]
    rows = pl.LazyFrame(
        {
            "cardholder_id": [name for name, _ in visits],
            "merchant_id": ["m"] * len(visits),
            "amount_minor": [100] * len(visits),
            "currency": ["CNY"] * len(visits),
            "occurred_at": pl.Series([at for _, at in visits], dtype=INSTANT),
        }
    )
    some = Responses(ids, np.arange(120) > 3, np.zeros(120), AT - timedelta(days=20))

    made = fit(rows, ids, AT, seed=0, campaigns=[some])

    assert set(made.scores) == {"value", "churn_risk"}
    assert made.figures["uplift"] == {"skipped": "an arm has 4 cardholders, needs 100"}


def test_a_run_with_pushes_publishes_an_uplift_score_and_how_good_it_is(tmp_path: Path) -> None:
    world, shelf = tmp_path / "world", tmp_path / "shelf"
    size = ["--cardholders", "1500", "--merchants", "60", "--transactions", "30000", "--seed", "3"]
    CliRunner().invoke(group, ["simulate", "--out", str(world), *size], catch_exceptions=False)
    files = [f"--usage={world}/usage.parquet", f"--catalog={world}/catalog.ndjson"]
    asked = ["run", *files, f"--pushes={world}/pushes.parquet", f"--shelf={shelf}"]
    told = CliRunner().invoke(group, [*asked, "--issuer=demo", "--force", "--json"])

    bundle = Shelf(shelf, "demo").open(json.loads(told.stdout)["version"])
    figures = bundle.manifest.figures["propensity"]["uplift"]
    uplift = np.asarray(bundle.model.scores["uplift"])

    assert figures["campaigns"] >= 1
    assert {"qini", "uplift_at_10", "uplift_at_20", "uplift_at_30"} <= set(figures)
    assert uplift.shape == (len(bundle.model.cardholders),)
    assert np.nanstd(uplift) > 0
    assert "Uplift: whom a push moves" in (bundle.folder / "report.html").read_text("utf-8")
