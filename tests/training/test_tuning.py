import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import polars as pl
import pytest
from click.testing import CliRunner

from embeddings.blend import Blend
from training.cli import group
from training.config import Settings, as_toml
from training.errors import BadInputError
from training.evaluation import Task
from training.presets import CARDS, preset
from training.tuning import Search, coordinates, suggested, tune

START = replace(preset(CARDS), n_factors=16, iterations=3)
OPENING = datetime(2025, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def usage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everyone keeps one habit and tries something new of his own taste every fortnight."""
    rows = []
    for holder in range(24):
        for visit in range(30):
            merchant = holder % 2 + 2 * (visit % 3 if visit % 2 else (holder + visit) % 12)
            rows.append((f"c{holder}", f"m{merchant}", OPENING + timedelta(7 * visit)))
    frame = pl.DataFrame(rows, ("cardholder_id", "merchant_id", "occurred_at"), orient="row")
    path = tmp_path_factory.mktemp("usage") / "usage.parquet"
    frame.with_columns(amount_minor=pl.lit(100, pl.Int64()), currency=pl.lit("CNY")).write_parquet(
        path
    )
    return path


def search(usage: Path, trials: int = 3) -> Search:
    return Search(
        usage=usage, split_at=date(2025, 7, 1), task=Task.ALL, k=3, slice_days=30, trials=trials
    )


def test_the_first_trial_is_the_start_and_the_best_is_never_below_it(
    usage: Path, tmp_path: Path
) -> None:
    found = tune(search(usage), START, tmp_path / "study")

    assert found.trials[0].value == found.start_value
    assert found.value >= found.start_value
    assert [t.best for t in found.trials] == sorted(t.best for t in found.trials)


def test_a_search_goes_on_where_it_stood(usage: Path, tmp_path: Path) -> None:
    journal = tmp_path / "study"
    first = tune(search(usage, trials=2), START, journal)
    told: list[tuple[int, int]] = []
    both = tune(search(usage, trials=4), START, journal, lambda d, n: told.append((d, n)))

    assert both.trials[:2] == first.trials
    assert told == [(3, 4), (4, 4)]


def test_a_finished_search_tries_nothing_more(usage: Path, tmp_path: Path) -> None:
    journal = tmp_path / "study"
    first = tune(search(usage, trials=2), START, journal)

    assert tune(search(usage, trials=2), START, journal) == first


def test_the_journal_of_another_search_is_refused(usage: Path, tmp_path: Path) -> None:
    journal = tmp_path / "study"
    tune(search(usage, trials=1), START, journal)

    with pytest.raises(BadInputError, match="another search"):
        tune(search(usage, trials=1), replace(START, n_factors=32), journal)


def test_the_test_part_is_never_read(usage: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(usage)
    split = datetime(2025, 7, 1, tzinfo=UTC)
    strange = frame.with_columns(
        merchant_id=pl.when(pl.col("occurred_at") >= split)
        .then(pl.lit("elsewhere"))
        .otherwise("merchant_id")
    )
    strange.write_parquet(tmp_path / "usage.parquet")
    plain = tune(search(usage, trials=2), START, tmp_path / "one")
    other = tune(search(tmp_path / "usage.parquet", trials=2), START, tmp_path / "other")

    assert plain.trials == other.trials


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"slices": 8}, "the slice from 2024-12-03 to 2025-01-02 "),
        ({"slices": 8}, "some from 2025-01-01 to 2025-01-01 until 2025-01-02; "),
        ({"slices": 2, "slice_days": 91}, "--slices 2 of --slice-days 91: "),
        ({"split_at": date(2030, 1, 1)}, "--split-at 2030-01-01 less "),
        ({"split_at": date(2020, 1, 1)}, "some from 2025-01-01 on; "),
        ({"slice_days": 3}, "the slice from 2025-06-28 to 2025-07-01 "),
        ({"slice_days": 10**7}, "--slice-days 10000000 reach back before the year 1"),
    ],
)
def test_slices_that_the_usage_does_not_hold_are_refused_by_what_was_asked_for(
    usage: Path, tmp_path: Path, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInputError, match=told) as refused:
        tune(replace(search(usage), **asked), START, tmp_path / "study")
    assert "; give " in str(refused.value)


def test_a_start_is_a_point_of_the_space() -> None:
    start = replace(START, blend=Blend(habit_weight=1.5))

    assert suggested(optuna.trial.FixedTrial(coordinates(start)), start) == start


def test_the_file_it_writes_is_read_back_as_the_same_parameters(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    endless = replace(START, events=replace(START.events, half_life_days=float("inf")))
    path.write_text(as_toml(endless))

    assert Settings.read(path).model == endless


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"minutes": 0.0}, {"slices": 0}])
def test_a_search_without_bounds_is_refused(usage: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match="above 0"):
        replace(search(usage), **wrong)  # type: ignore[arg-type]


def test_the_command_writes_a_configuration_and_a_picture(usage: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        group,
        [
            "tune", "--usage", str(usage), "--split-at", "2025-07-01", "--slice-days", "30",
            "--slices", "1", "--trials", "2", "--study", str(tmp_path / "s"),
            "--out", str(tmp_path / "best.toml"), "--history", str(tmp_path / "h.svg"), "--json",
        ],
    )  # fmt: skip

    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert Settings.read(tmp_path / "best.toml").model.as_document() == document["parameters"]
    assert (tmp_path / "h.svg").read_text().startswith("<svg")
    assert document["trials"] == 2
