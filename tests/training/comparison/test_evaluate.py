import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from training.cli import group
from training.cli.evaluate import leads_of
from training.comparison import Plan, Pool, cuts, pooled
from training.comparison.pool import best_rival, lead_over
from training.evaluation import Judging, Task, evaluate
from training.presets import CARDS, preset

START = datetime(2025, 1, 1, 12, tzinfo=UTC)

FIGURES = ("recall", "ndcg")


@pytest.fixture(scope="module")
def usage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty cardholders of two tastes over two hundred days; one merchant has one customer."""
    rows = []
    for holder in range(40):
        for visit in range(50):
            merchant = (2 * ((holder * 7 + visit * (1 + holder % 3)) % 15)) + holder % 2
            rows.append((f"c{holder}", f"m{merchant}", START + timedelta(4 * visit + holder % 4)))
    rows += [("c0", "alone", START + timedelta(day)) for day in (1, 150)]
    frame = pl.DataFrame(rows, ("cardholder_id", "merchant_id", "occurred_at"), orient="row")
    path = tmp_path_factory.mktemp("usage") / "usage.parquet"
    frame.with_columns(
        amount_minor=pl.lit(100, pl.Int64()), currency=pl.lit("CNY"), segment=pl.lit("x")
    ).write_parquet(path)
    return path


def plan(usage: Path, *days: date, test_days: int | None = 30) -> Plan:
    return Plan(usage=usage, split_at=days or (date(2025, 5, 1),), test_days=test_days)


def test_nothing_of_the_test_part_is_known_before_it(usage: Path) -> None:
    cut = next(cuts(plan(usage), preset(CARDS)))
    frame = pl.read_parquet(usage).filter(pl.col("occurred_at") < datetime(2025, 5, 1, tzinfo=UTC))
    before = (
        frame.select("cardholder_id", "merchant_id")
        .unique()
        .filter(pl.col("merchant_id") != "alone")
    )

    assert cut.outer.trial.seen.nnz == before.height
    assert cut.inner is not None
    assert cut.inner.trial.seen.sum() < cut.outer.trial.seen.sum()
    assert cut.outer.day - cut.inner.day == 30


def test_a_group_is_told_by_what_was_before_the_split_alone(usage: Path, tmp_path: Path) -> None:
    moved = pl.col("cardholder_id").str.slice(1).cast(pl.Int32) % 4
    after = pl.col("occurred_at") >= datetime(2025, 5, 1, tzinfo=UTC)
    other = pl.read_parquet(usage).with_columns(
        segment=pl.when(after).then(pl.lit("elsewhere")).otherwise(pl.format("group-{}", moved))
    )
    other.write_parquet(tmp_path / "usage.parquet")

    labels = next(cuts(plan(tmp_path / "usage.parquet"), preset(CARDS))).outer.trial.segments

    assert set(labels["segment"]) == {f"group-{number}" for number in range(4)}


def test_a_merchant_of_one_cardholder_is_no_part_of_the_catalogue(usage: Path) -> None:
    shared = next(cuts(plan(usage), preset(CARDS))).outer
    everything = Plan(usage=usage, split_at=(date(2025, 5, 1),), test_days=30, min_cardholders=1)

    assert next(cuts(everything, preset(CARDS))).outer.trial.n_catalogue == (
        shared.trial.n_catalogue + 1
    )


def test_without_a_length_the_test_part_is_all_that_follows(usage: Path) -> None:
    short = next(cuts(plan(usage, test_days=5), preset(CARDS))).outer.trial
    long = next(cuts(plan(usage, test_days=None), preset(CARDS))).outer.trial

    assert long.wanted.nnz > short.wanted.nnz


def test_pooling_knows_a_cardholder_again(usage: Path) -> None:
    class Flat:
        def __init__(self, n: int) -> None:
            self.n = n

        def scores(self, rows: np.ndarray) -> np.ndarray:
            return np.zeros((rows.size, self.n), np.float32)

    days = (date(2025, 4, 1), date(2025, 5, 1))
    parts, names = [], []
    for cut in cuts(plan(usage, *days), preset(CARDS)):
        trial = cut.outer.trial
        found = evaluate({"flat": Flat(trial.n_catalogue)}, trial, Task.ALL, Judging(k=3))
        parts.append(found["flat"])
        names.append(cut.cardholders)
    pool = pooled(parts, ["", ""], names)

    assert pool.recall.size == 80
    assert np.unique(pool.who).size == 40
    for part, vocabulary, at in zip(parts, names, (0, 40), strict=True):
        first = vocabulary.id(int(part.rows[0]))
        again = [i for i in range(80) if pool.who[i] == pool.who[at]]
        assert len(again) == 2, first


def test_evaluate_prints_the_promised_fields_and_beats_the_popular(usage: Path) -> None:
    answer = CliRunner().invoke(
        group,
        [
            "evaluate", "--usage", str(usage), "--split-at", "2025-05-01", "--task", "all",
            "--k", "5", "--json",
        ],
    )  # fmt: skip

    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert {"task", "k", "split_at", "cardholders", "pairs", "models"} <= set(document)
    assert document["split_at"] == "2025-05-01"
    assert {
        "product",
        "most_popular",
        "own_frequency",
        "itemknn_bm25",
        "rp3beta",
        "ease",
        "bpr",
    } <= (set(document["models"]))
    for found in document["models"].values():
        assert {"recall", "ndcg", "coverage", "recall_low", "recall_high"} <= set(found)
        assert found["recall_low"] <= found["recall"] <= found["recall_high"]
    models = document["models"]
    assert models["product"]["recall"] > models["most_popular"]["recall"]
    assert document["lead"]["most_popular"]["recall"]["low"] > 0


def test_the_table_names_the_lead_over_the_baseline_that_is_best_by_each_figure() -> None:
    def lead(mean: float) -> dict[str, dict[str, float]]:
        return {f: {"mean": mean, "low": mean - 0.01, "high": mean + 0.01} for f in FIGURES}

    models = {
        "product": {"recall": 0.5, "ndcg": 0.4},
        "vectors": {"recall": 0.49, "ndcg": 0.39},
        "ease": {"recall": 0.45, "ndcg": 0.3},
        "own_frequency": {"recall": 0.2, "ndcg": 0.35},
    }
    leads = {"vectors": lead(0.01), "ease": lead(0.05), "own_frequency": lead(0.04)}

    assert leads_of({"models": models, "lead": leads}) == [
        "lead over ease by recall: +0.0500, 95 % interval +0.0400 to +0.0600",
        "lead over own_frequency by ndcg: +0.0400, 95 % interval +0.0300 to +0.0500",
    ]
    alone = {name: models[name] for name in ("product", "vectors")}
    assert leads_of({"models": alone, "lead": {"vectors": lead(0.01)}}) == []


def test_evaluate_is_the_same_twice(usage: Path) -> None:
    split = ["--split-at", "2025-05-01", "--test-days", "30", "--no-baselines"]
    arguments = ["evaluate", "--usage", str(usage), *split, "--json"]
    one, other = (CliRunner().invoke(group, arguments).stdout for _ in range(2))

    assert one == other
    assert set(json.loads(one)["models"]) == {"product", "vectors"}


def test_a_split_outside_the_usage_is_refused_with_its_window(usage: Path) -> None:
    answer = CliRunner().invoke(
        group, ["evaluate", "--usage", str(usage), "--split-at", "2031-01-01"]
    )

    assert answer.exit_code != 0
    assert "2025-01-01" in str(answer.exception)


def test_the_lead_is_over_every_other_model_and_the_best_rival_is_named() -> None:
    def pool(values: list[float]) -> Pool:
        found = np.array(values)
        return Pool((), (), found, found, np.arange(found.size))

    pools = {"product": pool([0.5, 0.7]), "a": pool([0.4, 0.6]), "b": pool([0.0, 0.1])}

    assert best_rival(pools, ("product",)) == "a"
    assert lead_over(pools, "product", seed=0)["a"]["recall"]["mean"] == pytest.approx(0.1)
