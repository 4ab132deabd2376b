"""The command as the data team and ``make run`` meet it: files, schemas, seeds, bad arguments."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from embeddings.catalog import Benefit, BenefitType, MerchantOffer, RewardType, read_catalog
from training.simulate.issuer import simulate
from training.simulate.parameters import Parameters

Simulated = tuple[Path, dict[str, Any]]
ALL_KINDS = 100


def run_simulate(out: Path, **options: object) -> subprocess.CompletedProcess[str]:
    asked = {
        "cardholders": 50,
        "merchants": 20,
        "transactions": 500,
        "items": 40,
        "seed": 3,
        "ends-at": "2026-03-01",
    } | {name.replace("_", "-"): value for name, value in options.items()}
    flags = [f"--{name}={value}" for name, value in asked.items()]
    return subprocess.run(
        [sys.executable, "-m", "training", "simulate", "--json", f"--out={out}", *flags],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def profile_lines(folder: Path) -> list[str]:
    return (folder / "cardholders.ndjson").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    out = tmp_path_factory.mktemp("issuer") / "sim"
    done = run_simulate(out, items=ALL_KINDS)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_a_tiny_issuer_is_whole(tiny: Simulated) -> None:
    folder, _ = tiny

    assert sorted(p.name for p in folder.iterdir()) == [
        "cardholders.ndjson",
        "catalog.ndjson",
        "merchants.parquet",
        "pushes.parquet",
        "responses.parquet",
        "simulation.json",
        "truth",
        "usage.parquet",
    ]


def test_usage_has_the_canonical_columns_and_exactly_the_rows_asked_for(tiny: Simulated) -> None:
    usage = pl.read_parquet(tiny[0] / "usage.parquet")

    assert usage.height == 500
    assert usage.schema["occurred_at"] == pl.Datetime("us", "UTC")
    assert usage.schema["amount_minor"] == pl.Int64
    assert set(usage.columns) == {
        "transaction_id",
        "cardholder_id",
        "merchant_id",
        "merchant_name",
        "mcc",
        "amount_minor",
        "currency",
        "occurred_at",
        "status",
        "card_product_id",
        "city",
        "channel",
    }
    assert usage["transaction_id"].n_unique() == 500
    assert usage["occurred_at"].is_sorted()
    assert usage["mcc"].str.contains(r"^\d{4}$").all()
    assert (usage["amount_minor"] > 0).all()


def test_usage_lies_within_the_window_that_the_document_states(tiny: Simulated) -> None:
    folder, document = tiny
    at = pl.read_parquet(folder / "usage.parquet")["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert document["opens_at"] <= min(at)
    assert max(at) < document["closes_at"]
    assert document["closes_at"] == "2026-02-28T16:00:00Z"


def test_every_type_of_reward_and_benefit_is_in_a_catalogue_with_room_for_them(
    tiny: Simulated,
) -> None:
    items = read_catalog(tiny[0] / "catalog.ndjson").items

    offers = {i.reward.type for i in items if isinstance(i, MerchantOffer)}
    benefits = {i.benefit_type for i in items if isinstance(i, Benefit)}

    assert len(items) == ALL_KINDS
    assert offers == set(RewardType)
    assert benefits == set(BenefitType)


def test_every_title_is_in_both_languages_with_no_blank_left_open(tiny: Simulated) -> None:
    for item in read_catalog(tiny[0] / "catalog.ndjson").items:
        texts = [*item.title.values(), *(item.description or {}).values()]

        assert set(item.title) == {"zh-CN", "en"}
        assert not any("{" in text or "}" in text for text in texts)


def test_every_id_in_the_logs_is_of_this_issuer(tiny: Simulated) -> None:
    folder, _ = tiny
    people = {json.loads(line)["cardholder_id"] for line in profile_lines(folder)}
    merchants = pl.read_parquet(folder / "merchants.parquet")
    usage = pl.read_parquet(folder / "usage.parquet")
    events = pl.read_parquet(folder / "responses.parquet")
    items = {item.item_id for item in read_catalog(folder / "catalog.ndjson").items}

    assert len(people) == 50
    assert set(usage["cardholder_id"]) <= people
    assert set(usage["merchant_id"]) <= set(merchants["merchant_id"])
    assert set(events["cardholder_id"]) <= people
    assert set(events["item_id"]) <= items


def test_profiles_carry_cards_and_consent_as_the_api_takes_them(tiny: Simulated) -> None:
    profiles = [json.loads(line) for line in profile_lines(tiny[0])]

    for profile in profiles:
        assert 1 <= len(profile["card_products"]) <= 3
        assert set(profile["card_products"][0]) == {"card_product_id", "tier"}
        assert set(profile["consent"]) == {
            "personalisation",
            "marketing",
            "purpose_version",
            "recorded_at",
        }
    assert len({p["consent"]["personalisation"] for p in profiles}) == 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    tiny: Simulated, tmp_path: Path
) -> None:
    again = json.loads(run_simulate(tmp_path / "again", items=ALL_KINDS).stdout)
    other = json.loads(run_simulate(tmp_path / "other", items=ALL_KINDS, seed=4).stdout)

    assert again["sha256"] == tiny[1]["sha256"]
    same = {name for name, digest in tiny[1]["sha256"].items() if other["sha256"][name] == digest}
    assert same <= {"truth/truth.json"}  # ids and parameters only


def test_an_earlier_simulation_is_replaced_and_foreign_files_are_not(tmp_path: Path) -> None:
    first = run_simulate(tmp_path / "sim")
    second = run_simulate(tmp_path / "sim", transactions=200)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("ten years of work")
    refused = run_simulate(mine)

    assert first.returncode == second.returncode == 0
    assert pl.read_parquet(tmp_path / "sim" / "usage.parquet").height == 200
    assert refused.returncode == 1
    assert "--out" in refused.stderr
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("cardholders", 0),
        ("merchants", -1),
        ("transactions", 0),
        ("items", 0),
        ("seed", -1),
        ("days", 3),
        ("push_effect", "nan"),
        ("cold_items", 1.0),
        ("ends_at", "yesterday"),
    ],
)
def test_a_bad_argument_gets_one_line_that_names_the_option(
    tmp_path: Path, option: str, value: object
) -> None:
    done = run_simulate(tmp_path / "sim", **{option: value})

    assert done.returncode == 1
    assert done.stderr.startswith(f"recsvc-train: --{option.replace('_', '-')}: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_one_of_everything_is_still_an_issuer(tmp_path: Path) -> None:
    done = run_simulate(tmp_path / "sim", cardholders=1, merchants=1, transactions=1, items=1)

    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "sim" / "usage.parquet").height == 1


def test_a_failure_leaves_no_trace(tmp_path: Path) -> None:
    def interrupted(line: str) -> None:
        raise InterruptedError(line)

    asked = Parameters(
        cardholders=9, merchants=9, transactions=9, seed=1, ends_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    with pytest.raises(InterruptedError):
        simulate(asked, tmp_path / "sim", interrupted)

    assert list(tmp_path.iterdir()) == []
