"""A marketer's day over HTTP, and what he must not see."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsvc.domain.audience.disclosure import sketch_of
from recsvc.domain.cardholder import Consent, Profile
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.assembly import Stores
from recsvc.stores.outreach.disclosures import DisclosureStore
from recsvc.workers.dispatcher import Dispatcher
from tests.bundles import a_catalog, checkerboard, publish
from tests.outreach import ALLOWED, gateway_of
from tests.service import Service, settings

N = 2_400
PLAN = {
    "name": "spring",
    "item_ids": ["offer_0"],
    "audience": {"size": 1_200},
    "channel": "push",
    "starts_at": "2026-01-01T00:00:00Z",
    "ends_at": "2026-03-01T00:00:00Z",
    "holdout_bps": 2000,
    "pia_ref": "PIA-1",
    "budget": {"amount": {"amount_minor": 10**9, "currency": "CNY"}},
}
NEEDED_FOR_ONE_IN_A_HUNDRED = 23_302
"""(1.959964 + 0.841621)² · 0.05 · 0.95 / 0.01² · (1/0.2 + 1/0.8), by hand."""


@pytest.fixture
def bank(tmp_path: Path, stores: Stores, log: Log, metrics: Metrics) -> Iterator[Service]:
    """A service with a model of 2,400 cardholders, all but fifty of whom agreed to pushes."""
    running = Service.assembled(tmp_path / "shelf", stores, log, metrics)
    publish(running.shelf(), checkerboard(N))
    running.key()
    stores.catalog.put_many("demo", a_catalog().items)
    entries = [
        (
            f"ch_{i}",
            Profile(segments=("north" if i % 3 else "south",)),
            ALLOWED if i >= 50 else Consent(),
        )
        for i in range(N)
    ]
    stores.cardholders.put_many("demo", entries)
    running.clock.now = datetime(2026, 1, 31, 4, tzinfo=UTC)
    running.look()
    yield running
    running.close()


class Marketer:
    """Asks the service as a marketer does."""

    def __init__(self, bank: Service) -> None:
        self.bank = bank
        self.number = 0

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        self.number += 1
        keyed = {"Idempotency-Key": f"k-{self.number}", **headers}
        return self.bank.ask("POST", path, body, headers=keyed)

    def plan(self, **changes: Any) -> str:
        answer = self.post("/v1/campaigns", {**PLAN, **changes})
        assert answer.status_code == 201, answer.json
        return str(answer.json["campaign_id"])

    def live(self, **changes: Any) -> str:
        campaign_id = self.plan(**changes)
        answer = self.post(f"/v1/campaigns/{campaign_id}:launch")
        assert answer.status_code == 200, answer.json
        return campaign_id

    def dispatch(self) -> None:
        own = Outreach.of(settings(), self.bank.stores, self.bank.services.slot, self.bank.clock)
        worker = Dispatcher(own, "test", self.bank.stores.cardholders, Metrics())
        while not worker.look("demo").is_idle:
            pass


@pytest.fixture
def marketer(bank: Service) -> Marketer:
    return Marketer(bank)


def test_a_marketers_day_from_estimate_to_results(bank: Service, marketer: Marketer) -> None:
    estimate = marketer.post("/v1/audiences:estimate", {"item_id": "offer_0", "channel": "push"})
    assert estimate.json["matched"] == 2_300
    assert estimate.json["excluded"]["no_consent"] == 50

    campaign_id = marketer.plan()
    check = marketer.post(f"/v1/campaigns/{campaign_id}:check").json
    assert check["blockers"] == []
    assert check["projected_reach"] == 960
    assert 0 < check["detectable_difference"] < 0.1
    assert check["cardholders_needed"] == NEEDED_FOR_ONE_IN_A_HUNDRED

    launched = marketer.post(f"/v1/campaigns/{campaign_id}:launch").json
    assert launched["state"] == "live"
    marketer.dispatch()
    sent = gateway_of(bank.stores.durable)
    assert 900 < len(sent) < 1_020

    for push in sent[:300]:
        event = {
            "event_id": f"e-{push['push_id']}",
            "type": "activated",
            "cardholder_id": push["cardholder_id"],
            "item_id": "offer_0",
            "occurred_at": "2026-01-31T04:00:00Z",
        }
        assert bank.ask("POST", "/v1/events", {"events": [event]}).status_code == 200
    results = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json
    assert results["treated"]["sent"] == len(sent)
    assert results["holdout"]["sent"] == 0
    assert results["treated"]["activated"] == 300
    lift = results["lift"]["activated"]["fixed"]
    assert lift["low"] > 0.25
    assert results["incremental"]["activated"]["estimate"] == pytest.approx(300)
    assert results["sample_ratio"]["broken"] is False


def test_results_before_anybody_was_addressed_are_empty_and_not_an_error(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.plan()

    results = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results")
    audience = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience")

    assert results.status_code == 200
    assert results.json["treated"]["cardholders"] == 0
    assert results.json["lift"] == {}
    assert audience.status_code == 409
    assert audience.json["code"] == "not_drawn_up"


def test_results_read_too_early_do_not_stand_when_the_roster_is_drawn_up(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    early = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json
    marketer.dispatch()
    later = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json

    assert early["treated"]["cardholders"] == 0
    assert later["treated"]["cardholders"] > 500


def a_payment(who: str, number: int, status: str, amount: int) -> dict[str, Any]:
    """A card transaction on the day of the launch."""
    return {
        "event_id": f"pay-{who}-{number}-{status}",
        "type": "transaction",
        "cardholder_id": who,
        "occurred_at": "2026-01-31T04:00:00Z",
        "transaction": {
            "transaction_id": f"t-{who}-{number}",
            "merchant_id": "m_0",
            "mcc": "5812",
            "amount": {"amount_minor": amount, "currency": "CNY"},
            "status": status,
        },
    }


def test_refunds_are_taken_back_from_the_results(bank: Service, marketer: Marketer) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    one, other = [push["cardholder_id"] for push in gateway_of(bank.stores.durable)[:2]]
    events = [
        a_payment(one, 1, "settled", 50_000),
        a_payment(other, 1, "settled", 80_000),
        a_payment(other, 1, "reversed", 80_000),
        a_payment(other, 2, "declined", 90_000),
    ]

    bank.ask("POST", "/v1/events", {"events": events})

    results = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json
    assert results["treated"]["spend_minor"] == 50_000
    assert results["treated"]["visits"] == 1
    assert results["holdout"]["spend_minor"] == 0


def test_who_did_more_than_is_remembered_of_him_is_counted_as_cut_short(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    heavy, light, early = [push["cardholder_id"] for push in gateway_of(bank.stores.durable)[:3]]
    before = {**a_payment(early, 999, "settled", 100), "occurred_at": "2026-01-30T04:00:00Z"}
    events = [
        *(a_payment(heavy, number, "settled", 100) for number in range(210)),
        *(a_payment(light, number, "settled", 100) for number in range(199)),
        before,
        *(a_payment(early, number, "settled", 100) for number in range(199)),
    ]
    for start in range(0, len(events), 400):
        told = bank.ask("POST", "/v1/events", {"events": events[start : start + 400]})
        assert {one["status"] for one in told.json["results"]} == {"accepted"}

    results = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json
    page = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results/page").data.decode()

    assert results["treated"]["cut_short"] == 1
    assert results["holdout"]["cut_short"] == 0
    assert results["treated"]["visits"] == 200 + 199 + 199
    assert results["past_retention"] is False
    assert "Cut short: 1 cardholders" in page


def test_results_say_when_the_first_days_were_deleted_as_promised(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live(ends_at="2026-12-01T00:00:00Z")
    marketer.dispatch()

    bank.clock.pass_time(hours=24 * 181)

    assert bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json["past_retention"] is True


def test_the_audience_comes_as_ndjson_and_as_csv_without_the_holdout(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    told = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience")
    as_csv = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience?format=csv")

    lines = [json.loads(line) for line in told.data.splitlines()]
    rows = list(csv.DictReader(io.StringIO(as_csv.data.decode(), newline="")))
    reached = {push["cardholder_id"] for push in gateway_of(bank.stores.durable)}
    assert {line["cardholder_id"] for line in lines} == reached
    assert [row["cardholder_id"] for row in rows] == [line["cardholder_id"] for line in lines]
    assert told.headers["Content-Type"] == "application/x-ndjson"


def test_the_audience_comes_as_parquet_as_well(bank: Service, marketer: Marketer) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    told = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience")
    file = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience?format=parquet")

    table = pl.read_parquet(io.BytesIO(file.data))
    assert table.to_dicts() == [json.loads(line) for line in told.data.splitlines()]
    assert file.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert file.headers["Content-Disposition"] == 'attachment; filename="audience.parquet"'


def test_P24_who_opts_out_is_gone_from_the_next_export(bank: Service, marketer: Marketer) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    one = gateway_of(bank.stores.durable)[0]["cardholder_id"]

    bank.stores.cardholders.put_consent("demo", one, Consent())

    told = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience").data.decode()
    assert f'"{one}"' not in told


def test_P21_who_objects_is_gone_from_the_next_export_and_counted_without_consent(
    bank: Service, marketer: Marketer
) -> None:
    ask = {"item_id": "offer_0", "channel": "push"}
    campaign_id = marketer.live()
    marketer.dispatch()
    reached = [push["cardholder_id"] for push in gateway_of(bank.stores.durable)][:100]

    for who in reached:
        path = f"/v1/cardholders/{who}/consent"
        body = {"personalisation": True, "marketing": {"push": True}, "purpose_version": "v1"}
        assert bank.ask("PUT", path, {**body, "objection": True}).status_code == 200

    told = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience").data.decode()
    assert not [who for who in reached if f'"{who}"' in told]
    assert marketer.post("/v1/audiences:estimate", ask).json["excluded"]["no_consent"] == 150


def test_an_audience_below_the_minimum_is_neither_launched_nor_exported(
    marketer: Marketer,
) -> None:
    campaign_id = marketer.plan(audience={"size": 499})

    refused = marketer.post(f"/v1/campaigns/{campaign_id}:launch")

    assert refused.status_code == 409
    assert refused.json["code"] == "not_launchable"
    assert [e["code"] for e in refused.json["errors"]] == ["audience_below_minimum"]


def test_what_forbids_a_launch_is_pointed_at_in_the_campaign(marketer: Marketer) -> None:
    campaign_id = marketer.plan(item_ids=["offer_0", "gone"], pia_ref=None)

    refused = marketer.post(f"/v1/campaigns/{campaign_id}:launch")

    found = {(error["code"], error["pointer"]) for error in refused.json["errors"]}
    assert {("pia_ref_missing", "/pia_ref"), ("item_unknown", "/item_ids/1")} <= found


def test_F60_an_audience_of_which_too_few_are_left_is_not_exported(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    path = f"/v1/campaigns/{campaign_id}/audience"
    told = bank.ask("GET", path).data.splitlines()
    ids = [json.loads(line)["cardholder_id"] for line in told]
    for who in ids[499:]:
        bank.stores.cardholders.put_consent("demo", who, Consent())

    refused = bank.ask("GET", path)
    bank.stores.cardholders.put_consent("demo", ids[499], ALLOWED)

    assert len(ids) > 500
    assert (refused.status_code, refused.json["code"]) == (409, "audience_below_minimum")
    assert len(bank.ask("GET", path).data.splitlines()) == 500


def test_P55_a_launch_without_an_impact_assessment_is_refused_by_name(marketer: Marketer) -> None:
    campaign_id = marketer.plan(pia_ref=None)

    refused = marketer.post(f"/v1/campaigns/{campaign_id}:launch")

    assert [e["code"] for e in refused.json["errors"]] == ["pia_ref_missing"]
    assert refused.json["errors"][0]["pointer"] == "/pia_ref"


def test_F60_two_estimates_that_differ_by_one_cardholder_answer_alike(
    bank: Service, marketer: Marketer
) -> None:
    ask = {"item_id": "offer_0", "channel": "push", "segments": ["south"]}
    first = marketer.post("/v1/audiences:estimate", ask).json

    for number in range(51, 81, 3):
        profile = Profile(segments=())
        bank.stores.cardholders.put_profile("demo", f"ch_{number}", profile)
        again = marketer.post("/v1/audiences:estimate", ask).json
        assert again["matched"] == first["matched"]
        assert again["excluded"] == first["excluded"]


def test_results_are_told_unchanged_until_the_instant_they_name(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    path = f"/v1/campaigns/{campaign_id}/results"
    before = bank.ask("GET", path).json
    marketer.dispatch()
    first = bank.ask("GET", path).json
    push = gateway_of(bank.stores.durable)[0]
    event = {
        "event_id": "e-1",
        "type": "activated",
        "cardholder_id": push["cardholder_id"],
        "item_id": "offer_0",
        "occurred_at": "2026-01-31T04:00:00Z",
    }
    assert bank.ask("POST", "/v1/events", {"events": [event]}).status_code == 200
    left = datetime.fromisoformat(first["fresh_until"]) - bank.clock.now
    bank.clock.pass_time(seconds=left.total_seconds() - 1)
    still = bank.ask("GET", path).json
    bank.clock.pass_time(seconds=1)
    then = bank.ask("GET", path).json

    assert before["fresh_until"] is None
    assert still == first
    assert (first["treated"]["activated"], then["treated"]["activated"]) == (0, 1)


def test_results_that_show_nothing_yet_see_as_small_an_effect_as_the_check_said(
    bank: Service, marketer: Marketer
) -> None:
    budget = {"pushes": 900, "amount": {"amount_minor": 10**9, "currency": "CNY"}}
    plan = {"audience": {}, "budget": budget, "holdout_bps": 2_000}
    campaign_id = marketer.live(**plan)
    check = marketer.post(f"/v1/campaigns/{campaign_id}:check").json
    marketer.dispatch()
    results = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results").json

    assert check["projected_reach"] == 900
    assert results["treated"]["cardholders"] == pytest.approx(900, rel=0.05)
    assert (check["baseline_rate"], check["baseline_assumed"]) == (0.05, True)
    assert (results["baseline_rate"], results["baseline_assumed"]) == (0.05, True)
    assert results["detectable_difference"] == pytest.approx(
        check["detectable_difference"], rel=0.1
    )


def test_F60_a_check_tells_no_more_than_an_estimate(bank: Service, marketer: Marketer) -> None:
    plan = {"audience": {"segments": ["south"]}, "holdout_bps": 0}
    path = f"/v1/campaigns/{marketer.plan(**plan)}:check"
    first = marketer.post(path).json

    for number in range(51, 141, 3):
        bank.stores.cardholders.put_profile("demo", f"ch_{number}", Profile(segments=()))
        assert marketer.post(path).json == first

    assert first["projected_reach"] % 50 == 0
    assert first["projected_most_cost"]["amount_minor"] == 2_000 * first["projected_reach"]


def test_F60_whoever_asks_very_often_does_not_make_the_first_answers_be_forgotten(
    stores: Stores,
) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    book = DisclosureStore(stores.durable, most_kept=3)
    for number in range(3):
        assert book.has_room("demo", now)
        book.keep("demo", {"matched": (sketch_of(np.arange(number, dtype=np.uint64)), number)})

    told = [one.answer for one in book.earlier("demo", now)["matched"]]
    sketches = [one.sketch.sum() for one in book.earlier("demo", now)["matched"]]
    assert told == [0, 1, 2]
    assert sketches == [0, 1, 2]
    assert not book.has_room("demo", now)
    assert book.has_room("other", now)
    assert book.has_room("demo", datetime.now(UTC) + timedelta(days=31))
    assert book.earlier("demo", now) == {}


def test_F60_an_estimate_of_few_tells_no_number(bank: Service, marketer: Marketer) -> None:
    for number in range(60, 90):
        profile = Profile(segments=("rare",))
        bank.stores.cardholders.put_profile("demo", f"ch_{number}", profile)

    told = marketer.post(
        "/v1/audiences:estimate", {"item_id": "offer_0", "channel": "push", "segments": ["rare"]}
    ).json

    assert told["matched"] is None
    assert told["withheld"]["matched"] == "below_minimum"


def test_who_is_held_out_is_not_shown_the_item_in_the_app_either(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()
    for watcher in bank.services.watchers:
        watcher._look_at_due()
    own = Outreach.of(settings(), bank.stores, bank.services.slot, bank.clock)
    campaign = own.campaigns.get("demo", campaign_id)
    holdout = own.book.holdout("demo", campaign)
    even = [f"ch_{i}" for i in range(50, N, 2)]
    held = next(who for who in even if holdout.holds(who))
    treated = next(who for who in even if not holdout.holds(who))
    opted_out = next(f"ch_{i}" for i in range(50) if holdout.holds(f"ch_{i}"))

    def shown(who: str) -> set[str]:
        answer = bank.ask("GET", f"/v1/cardholders/{who}/recommendations?limit=20")
        assert answer.status_code == 200, answer.json
        return {item["item_id"] for item in answer.json["items"]}

    assert "offer_0" not in shown(held)
    assert "offer_0" in shown(treated)
    assert "offer_0" in shown(opted_out)


def test_a_paused_campaign_resumes_and_a_cancelled_one_does_not(marketer: Marketer) -> None:
    campaign_id = marketer.live()
    path = f"/v1/campaigns/{campaign_id}"

    assert marketer.post(f"{path}:pause").json["state"] == "paused"
    assert marketer.post(f"{path}:launch").json["state"] == "live"
    assert marketer.post(f"{path}:cancel").json["state"] == "cancelled"
    refused = marketer.post(f"{path}:launch")
    assert refused.status_code == 409
    assert refused.json["code"] == "wrong_state"


def test_creating_twice_under_one_key_makes_one_campaign(bank: Service) -> None:
    headers = {"Idempotency-Key": "same"}
    first = bank.ask("POST", "/v1/campaigns", PLAN, headers=headers)
    again = bank.ask("POST", "/v1/campaigns", PLAN, headers=headers)

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(bank.ask("GET", "/v1/campaigns").json["campaigns"]) == 1
    assert bank.ask("POST", "/v1/campaigns", PLAN).status_code == 400


def test_campaigns_are_listed_page_by_page(bank: Service, marketer: Marketer) -> None:
    made = sorted(marketer.plan(name=f"n{i}") for i in range(5))
    first = bank.ask("GET", "/v1/campaigns?limit=3").json
    rest = bank.ask("GET", f"/v1/campaigns?limit=3&cursor={first['next_cursor']}").json

    listed = [c["campaign_id"] for c in (*first["campaigns"], *rest["campaigns"])]
    assert listed == made
    assert rest["next_cursor"] is None


def test_F40_another_issuers_campaign_is_like_one_that_never_was(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    for path in ("", "/audience", "/results", "/results/page"):
        other = bank.ask("GET", f"/v1/campaigns/{campaign_id}{path}", issuer_id="other")
        never = bank.ask("GET", f"/v1/campaigns/never{path}", issuer_id="other")
        assert other.status_code == never.status_code == 404
        assert {**other.json, "instance": ""} == {**never.json, "instance": ""}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"channel": "branch"}, "/channel"),
        ({"item_ids": []}, "/item_ids"),
        ({"holdout_bps": 5001}, "/holdout_bps"),
        ({"ends_at": "2025-01-01T00:00:00Z"}, "/ends_at"),
        ({"item_ids": ["a", "a"]}, "/item_ids"),
        ({"starts_at": "1900-01-01T00:00:00Z"}, "/starts_at"),
        ({"quiet_hours": {"from": "25:00"}}, "/quiet_hours/from"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_field(
    marketer: Marketer, changes: dict[str, Any], pointer: str
) -> None:
    refused = marketer.post("/v1/campaigns", {**PLAN, **changes})

    assert refused.status_code == 422
    assert pointer in {error["pointer"] for error in refused.json["errors"]}


def test_a_filter_is_refused_where_it_stands_when_there_are_no_scores(marketer: Marketer) -> None:
    refused = marketer.post(
        "/v1/audiences:estimate",
        {"item_id": "offer_0", "channel": "push", "filter": "income > 3"},
    )

    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/filter"
    assert "no scores" in refused.json["errors"][0]["message"]
    checked = marketer.post(f"/v1/campaigns/{marketer.plan(audience={'filter': 'x > 1'})}:check")
    assert checked.json["errors"][0]["pointer"] == "/audience/filter"


def test_F54_the_page_of_results_runs_nothing_and_shows_hostile_names_as_text(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live(name="<script>alert(1)</script>")
    marketer.dispatch()

    page = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results/page")

    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"<script" not in page.data
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in page.data
    assert page.data.count(b"<svg") >= 1


def test_a_merchants_view_has_counts_above_the_minimum_and_no_lift(
    bank: Service, marketer: Marketer
) -> None:
    campaign_id = marketer.live()
    marketer.dispatch()

    view = bank.ask("GET", f"/v1/campaigns/{campaign_id}/results?view=merchant").json
    sent = len(gateway_of(bank.stores.durable))

    assert view["treated"]["sent"] == sent // 50 * 50
    assert view.get("lift") is None
    assert "spend_minor" not in json.dumps(view)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://x.example/", "https://no-such-host.invalid/"]
)
def test_F49_a_webhook_that_leads_inside_or_nowhere_is_not_registered(
    marketer: Marketer, url: str
) -> None:
    refused = marketer.post("/v1/webhooks", {"url": url})

    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/url"


def test_a_webhooks_secret_is_never_listed(bank: Service) -> None:
    own = Outreach.of(settings(), bank.stores, bank.services.slot, bank.clock)
    webhook = own.webhooks.add("demo", "https://hooks.bank.example/")

    listed = bank.ask("GET", "/v1/webhooks")
    removed = bank.ask("DELETE", f"/v1/webhooks/{webhook.webhook_id}")

    assert listed.json["webhooks"][0]["webhook_id"] == webhook.webhook_id
    assert webhook.secret not in listed.data.decode()
    assert removed.status_code == 204
    assert bank.ask("GET", "/v1/webhooks").json == {"webhooks": []}


def test_F43_a_key_without_the_scope_may_not_export(bank: Service, marketer: Marketer) -> None:
    campaign_id = marketer.live()
    bank.keys["demo"] = bank.key("demo", "campaigns:write")

    assert bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience").status_code == 403
    assert bank.ask("GET", f"/v1/campaigns/{campaign_id}").status_code == 200
