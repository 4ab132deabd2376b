"""The mappings we ship, on the real data: what is known of it must come out of the import."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from training.cli import group
from training.usage import scan

MAPPINGS = Path(__file__).parents[3] / "training" / "mappings"


def data_folder(name: str) -> Path:
    default = Path(__file__).parents[4] / "shared" / "data"
    root = Path(os.environ.get("RECSVC_DATA", str(default)))
    if not root.is_dir():
        pytest.skip(f"{root} is not here; RECSVC_DATA names the folder of real data")
    assert (root / name).is_dir()
    return root / name


def bring_in(name: str, folder: Path, *more: str) -> tuple[dict[str, object], pl.DataFrame]:
    out = folder / "usage.parquet"
    arguments = ["--mapping", str(MAPPINGS / f"{name}.toml"), "--out", str(out), "--json", *more]
    result = CliRunner().invoke(group, ["import", *arguments], catch_exceptions=False)
    return json.loads(result.stdout), scan(out).collect()


@pytest.fixture(scope="module")
def devon(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], pl.DataFrame]:
    source = data_folder("devon-pcards")
    return bring_in("devon", tmp_path_factory.mktemp("devon"), "--source", str(source))


def test_birminghams_colliding_cards_are_told_apart_by_their_directorate(tmp_path: Path) -> None:
    source = data_folder("birmingham-pcards")
    report, usage = bring_in("birmingham", tmp_path, "--source", str(source))
    rejected = report["rows_rejected"]

    assert isinstance(rejected, dict)
    assert report["rows_read"] == 181_336
    assert rejected["empty_row"] == 1
    assert report["rows_accepted"] == usage.height == 181_336 - sum(rejected.values())
    assert usage["cardholder_id"].n_unique() > 1_523
    assert usage["cardholder_id"].str.contains(r"^[a-z-]+_\d{4}$").all()
    assert usage["segment"].n_unique() == 8


def test_complete_journey_comes_out_of_its_installed_package(tmp_path: Path) -> None:
    report, usage = bring_in("completejourney", tmp_path)

    assert report["rows_read"] == 1_469_307
    assert report["duplicate_rows"] == 0
    assert usage["cardholder_id"].n_unique() == 2_469
    assert usage["merchant_id"].str.contains(r"^mfr_\d+$").all()
    assert usage["segment"].null_count() < usage.height


def test_every_row_of_the_28_distinct_files_is_accounted_for(
    devon: tuple[dict[str, object], pl.DataFrame],
) -> None:
    report, usage = devon
    rejected = report["rows_rejected"]

    assert isinstance(rejected, dict)
    assert report["rows_read"] == 92_115
    assert report["duplicate_files"] == 1
    assert report["rows_accepted"] == usage.height == 92_115 - sum(rejected.values())
    assert usage["occurred_at"].min().date().isoformat() == "2014-03-12"  # type: ignore[union-attr]
    assert usage["occurred_at"].max().date().isoformat() == "2022-05-23"  # type: ignore[union-attr]


def test_amazons_thousands_of_spellings_are_one_merchant_and_its_lines_are_three(
    devon: tuple[dict[str, object], pl.DataFrame],
) -> None:
    _, usage = devon
    amazon = usage.filter(pl.col("merchant_id") == "m_amazon")
    others = usage.filter(pl.col("merchant_id") != "m_amazon")

    assert amazon["merchant_name"].n_unique() > 7_000
    assert amazon["merchant_name"].str.contains("(?i)amaz|amzn|amz").all()
    names = others["merchant_name"].str.to_lowercase()
    assert others.filter(names.str.contains("^(amazon|amzn)"))[
        "merchant_id"
    ].unique().sort().to_list() == ["m_amazondigital", "m_amazonprime"]


def test_one_account_under_several_spellings_is_one_cardholder(
    devon: tuple[dict[str, object], pl.DataFrame],
) -> None:
    _, usage = devon
    found = set(usage["cardholder_id"])

    assert {"CP0685610", "CP0687793", "559309", "514362"} <= found
    assert len([name for name in found if "BIDEFORD" in name]) == 1
    assert not [name for name in found if name.endswith("GBP") or "(" in name]
