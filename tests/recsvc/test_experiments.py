"""An operator compares two rankings and lets one explore, from the file to the figures."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from recsvc.domain.cardholder import Consent, Profile
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.requests import SERVES
from tests.bundles import an_offer, publish
from tests.service import Service, run_command

FILE = """
[experiment]
name = "explore-1"
[[experiment.rankings]]
name = "bold"
share_bps = 5000
exploration_bps = 10000
exploration_pool = 3
"""
WHO = [f"ch_{n}" for n in range(40)]


@pytest.fixture
def rankings(tmp_path: Path) -> Path:
    path = tmp_path / "rankings.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def bank(
    tmp_path: Path, stores: Stores, log: Log, metrics: Metrics, rankings: Path
) -> Iterator[Service]:
    """The checkerboard issuer; everybody consents but the last ten."""
    service = Service.assembled(tmp_path / "shelf", stores, log, metrics, rankings=rankings)
    for m in range(6):
        offer = an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc="5812" if m % 2 == 0 else "5411")
        service.ask("PUT", f"/v1/offers/offer_{m}", offer)
    publish(service.shelf())
    service.look()
    consent = Consent(True, {}, "1", datetime(2026, 1, 1, tzinfo=UTC))
    stores.cardholders.put_many(
        "demo", [(one, Profile(), consent if n < 30 else None) for n, one in enumerate(WHO)]
    )
    yield service
    service.close()


def answers(bank: Service) -> dict[str, Any]:
    path = "/v1/cardholders/{}/recommendations?limit=3"
    return {one: bank.ask("GET", path.format(one)).json for one in WHO}


def test_each_personalised_cardholder_has_one_ranking_and_only_one_of_them_explores(
    bank: Service,
) -> None:
    first, again = answers(bank), answers(bank)
    personal = {who: told for who, told in first.items() if told["personalised"]}
    sources: dict[str, set[str]] = {"default": set(), "bold": set()}
    for told in personal.values():
        sources[told["ranking"]] |= {item["source"] for item in told["items"]}

    assert {who: told["ranking"] for who, told in first.items()} == {
        who: told["ranking"] for who, told in again.items()
    }
    assert "exploration" in sources["bold"]
    assert "exploration" not in sources["default"]
    assert {told["experiment"] for told in personal.values()} == {"explore-1"}
    others = [told for told in first.values() if not told["personalised"]]
    assert {(told["ranking"], told["experiment"]) for told in others} == {("default", None)}
    assert "exploration" not in {item["source"] for told in others for item in told["items"]}


def test_a_restart_with_another_secret_moves_nobody(
    bank: Service, tmp_path: Path, stores: Stores, log: Log, rankings: Path
) -> None:
    other = Service.assembled(
        tmp_path / "shelf", stores, log, Metrics(), rankings=rankings, secret="t" * 32
    )
    other.look()
    before, after = answers(bank), answers(other)
    other.close()

    assert {w: t["ranking"] for w, t in before.items()} == {
        w: t["ranking"] for w, t in after.items()
    }


def test_what_was_served_is_logged_with_ranking_experiment_and_propensity(bank: Service) -> None:
    shown = answers(bank)
    bank.services.serves.flush()
    entries: Any = bank.stores.cache.ask(lambda store: store.xrange(SERVES.key("demo")))
    logged = [orjson.loads(fields[b"serve"]) for _, fields in entries]

    assert len(logged) == len(WHO)
    for serve in logged:
        told = shown[serve["cardholder_id"]]
        assert (serve["ranking"], serve["experiment"]) == (told["ranking"], told["experiment"])
        for item_id, source, _, propensity in serve["items"]:
            assert propensity == pytest.approx(1 / 3) or source != "exploration"
            assert propensity == 1 or source == "exploration"
            assert item_id in {item["item_id"] for item in told["items"]}


def test_the_command_sets_the_rankings_side_by_side(
    bank: Service, store_url: str, rankings: Path, clean_environment: dict[str, str]
) -> None:
    shown = {who: told for who, told in answers(bank).items() if told["personalised"]}
    bank.services.serves.flush()
    clickers = [who for who, told in shown.items() if told["ranking"] == "bold"]
    events = [
        {
            "event_id": f"e-{who}",
            "type": "clicked",
            "cardholder_id": who,
            "item_id": shown[who]["items"][0]["item_id"],
            "occurred_at": bank.clock().isoformat(),
            "serve_token": shown[who]["items"][0]["serve_token"],
        }
        for who in clickers
    ]
    assert bank.ask("POST", "/v1/events", {"events": events}).status_code == 200
    setting = {"redis_url": store_url, "rankings": str(rankings)}
    asked = ["experiment", "compare", "--issuer", "demo"]
    withheld = run_command(asked, clean_environment, **setting)
    told = run_command(asked, clean_environment, **setting, min_report="5")

    assert json.loads(withheld.stdout)["rankings"] == {"default": None, "bold": None}
    found = json.loads(told.stdout)
    bold, default = found["rankings"]["bold"], found["rankings"]["default"]
    assert (found["experiment"], bold["cardholders"]) == ("explore-1", len(clickers))
    assert bold["cardholders"] + default["cardholders"] == len(shown)
    assert (bold["per_cardholder"]["clicked"], default["per_cardholder"]["clicked"]) == (1, 0)
    assert bold["difference"]["clicked"]["low"] > 0
    assert default["difference"]["clicked"] is None
