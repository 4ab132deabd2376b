"""What a cardholder may demand, row by row of the privacy rules."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from embeddings.erasure import FILE_NAME
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.events.codec import KEPT_EVENTS
from recsvc.stores.keys.access import AUDIT
from recsvc.stores.keys.cardholders import CARDHOLDER
from recsvc.stores.keys.events import EVENTS
from recsvc.stores.keys.family import Family
from recsvc.stores.keys.requests import SERVES
from recsvc.stores.keys.table import TABLE
from recsvc.stores.rights.export import EXPORTED
from recsvc.stores.rights.finding import Finder
from recsvc.stores.rights.retention import Retention
from recsvc.stores.rights.sweeping import STREAMS
from tests.bundles import an_offer, publish
from tests.recsvc.api.test_activations import activate, taken
from tests.recsvc.api.test_events import a_payment, an_event, body, item_ids, tell, words
from tests.service import Service, a_connection, a_server, run_command, until

CONSENT = {"personalisation": True, "marketing": {"push": True}, "purpose_version": "1"}
NOTICE = {"purposes": ["recommend"], "text": {"en": "We recommend."}}
ONE = "/v1/cardholders/ch_0"


@pytest.fixture
def live(service: Service) -> Service:
    """The checkerboard issuer; its cardholder ch_0 visits m_2 and m_4 and consents."""
    for m in range(6):
        mcc = "5812" if m % 2 == 0 else "5411"
        service.ask(
            "PUT", f"/v1/offers/offer_{m}", an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc=mcc)
        )
    publish(service.shelf())
    service.look()
    service.ask("PUT", f"{ONE}/consent", CONSENT)
    return service


def listed(service: Service, cardholder_id: str = "ch_0") -> Any:
    return body(service.ask("GET", f"/v1/cardholders/{cardholder_id}/recommendations"))


def interests(service: Service) -> dict[str, Any]:
    found = body(service.ask("GET", f"{ONE}/interests"))["interests"]
    return {row["tag"]: row["evidence"] for row in found}


def audit_actions(service: Service) -> list[str]:
    return [row["action"] for row in body(service.ask("GET", "/v1/audit"))["items"]]


def test_P13_no_recorded_consent_is_no_personalisation(live: Service) -> None:
    assert listed(live, "ch_2")["personalised"] is False
    assert listed(live)["personalised"] is True


def test_P14_consent_to_an_earlier_notice_stops_counting(live: Service) -> None:
    live.ask("PUT", "/v1/privacy/notice", {"version": "2", **NOTICE})

    assert listed(live)["personalised"] is False
    assert body(live.ask("GET", f"{ONE}/consent"))["marketing"] == {}
    live.ask("PUT", f"{ONE}/consent", {**CONSENT, "purpose_version": "2"})
    assert listed(live)["personalised"] is True


def test_P15_withdrawing_is_felt_by_the_next_answer_and_P16_costs_nothing(
    live: Service,
) -> None:
    live.ask("PUT", f"{ONE}/consent", {**CONSENT, "personalisation": False})

    answer = listed(live)
    assert (answer["personalised"], answer["returned"]) == (False, 6)


def test_P15_withdrawing_is_felt_within_a_second_by_every_worker(
    live: Service, store_url: str, tmp_path: Path
) -> None:
    key = live.key()
    with a_server(tmp_path, store_url, workers=3) as server:
        path = f"{ONE}/recommendations"

        def personalised() -> set[bool]:
            answers = [server.ask("GET", path, key=key) for _ in range(24)]
            return {answer.json["personalised"] for answer in answers if answer.status == 200}

        until(lambda: personalised() == {True})
        withdrawn = {**CONSENT, "personalisation": False}
        assert server.ask("PUT", f"{ONE}/consent", withdrawn, key=key).status == 200
        began = time.monotonic()
        seen = personalised()

    assert seen == {False}
    assert time.monotonic() - began < 20


def test_P17_the_notice_has_a_version_and_says_what_is_done(live: Service) -> None:
    shipped = body(live.ask("GET", "/v1/privacy/notice"))
    assert (shipped["notice_version"], bool(shipped["processing"]["rights"])) == (None, True)

    live.ask("PUT", "/v1/privacy/notice", {"version": "2", **NOTICE})
    assert body(live.ask("GET", "/v1/privacy/notice"))["notice_version"] == "2"


def test_P24_the_terms_of_an_item_do_not_depend_on_who_looks(live: Service) -> None:
    for n in (1, 2, 3):
        live.ask("PUT", f"/v1/cardholders/ch_{n}/consent", CONSENT)
    lists = [listed(live, f"ch_{n}")["items"] for n in range(4)]
    seen: dict[str, set[bytes]] = {}
    for item in (item for items in lists for item in items):
        terms = {n: item[n] for n in ("reward", "starts_at", "ends_at", "title", "merchant_id")}
        seen.setdefault(item["item_id"], set()).add(orjson.dumps(terms))

    assert all(len(terms) == 1 for terms in seen.values())
    assert all(item["reasons"] for items in lists for item in items)


def test_P24_two_who_opted_out_get_the_same_list(live: Service) -> None:
    tell(live, *(a_payment(f"p{n}", transaction_id=f"t{n}") for n in range(3)))
    lists = [listed(live, one)["items"] for one in ("ch_1", "ch_3")]
    for items in lists:
        for item in items:
            item.pop("serve_token")

    assert lists[0] == lists[1]


def test_P17b_interests_are_told_with_their_evidence(live: Service) -> None:
    found = interests(live)

    assert set(found) == {"merchant.m_2", "merchant.m_4", "category.5812"}
    assert found["merchant.m_2"] == {"visits": 2, "last_on": "2026-01-28"}


def test_P17b_a_deleted_interest_stays_away_until_something_new_is_known(
    live: Service,
) -> None:
    assert live.ask("DELETE", f"{ONE}/interests/merchant.m_2").status_code == 204

    assert "merchant.m_2" not in interests(live)
    assert not _names(listed(live), "m_2")
    late = {**a_payment("p0", merchant_id="m_2", transaction_id="t0"), "cardholder_id": "ch_0"}
    tell(live, late)  # occurred before the deletion
    assert "merchant.m_2" not in interests(live)

    live.clock.pass_time(hours=1)
    new = {**a_payment("p1", merchant_id="m_2"), "cardholder_id": "ch_0"}
    tell(live, {**new, "occurred_at": "2026-01-31T12:30:00Z"})
    assert interests(live)["merchant.m_2"]["visits"] == 1
    assert live.ask("DELETE", f"{ONE}/interests/merchant.m_9").status_code == 404


def _names(answer: Any, merchant_id: str) -> bool:
    evidence = [e for item in answer["items"] for r in item["reasons"] for e in r["evidence"]]
    return any(one.get("merchant_id") == merchant_id for one in evidence)


def seeded(live: Service, marker: str = "marker_1") -> str:
    """A cardholder with a row in every personal family that requests write."""
    path = f"/v1/cardholders/{marker}"
    live.ask("PUT", path, {"city": "Shanghai"})
    live.ask("PUT", f"{path}/consent", CONSENT)
    put = an_offer("held", terms={"requires_activation": True}, budget={"total": {"count": 9}})
    live.ask("PUT", "/v1/offers/held", put)
    live.look()
    activate(live, marker, "held")
    for event in (an_event("a"), an_event("d", "dismissed"), an_event("s", "served")):
        tell(live, {**event, "cardholder_id": marker})
    tell(live, {**a_payment("p"), "cardholder_id": marker})
    live.ask("GET", f"{path}/recommendations")
    live.services.serves.flush()
    return marker


def test_P44_the_export_finds_what_stands_in_every_store(live: Service) -> None:
    marker = seeded(live)
    export = body(live.ask("GET", f"/v1/cardholders/{marker}/data-export"))

    own = export["stores"]["cardholder"]
    assert own["profile"]["city"] == "Shanghai"
    assert own["consent"]["personalisation"] is True
    assert {event["event_id"] for event in own["events"]} >= {"a", "p"}
    assert (list(own["dismissed_until"]), list(own["served_at"])) == (["offer_1"], ["offer_1"])
    assert own["dismissed_or_taken_at"] == {
        "held": "2026-01-31T12:00:00Z",
        "offer_1": "2026-01-31T11:00:00Z",
    }
    assert own["uses"]["held"][0]["kind"] == "h"
    assert len(export["stores"]["events"]) == 5
    assert len(export["stores"]["serves"]) == 1
    assert export["stores"]["uses_due"] == [f"{marker}|held"]
    assert [one["item_id"] for one in export["stores"]["idempotency"]] == ["held"]
    assert body(live.ask("GET", f"{ONE}/data-export"))["model"]["history"]


def test_P44_events_that_no_answer_looks_at_any_more_are_exported_too(live: Service) -> None:
    tell(live, *({**an_event(f"v{n}"), "cardholder_id": "ch_5"} for n in range(350)))
    fields: Any = live.stores.durable.ask(lambda store: store.hkeys(CARDHOLDER.key("demo", "ch_5")))
    kept = {field.decode()[2:] for field in fields if field.startswith(b"e:")}
    told = body(live.ask("GET", "/v1/cardholders/ch_5/data-export"))["stores"]["cardholder"]

    assert len(kept) > KEPT_EVENTS
    assert {event["event_id"] for event in told["events"]} == kept


LIST_OF_KEYS = {"idempotency_of"}
"""Names the replays of one cardholder, which are exported themselves."""
DELIVERIES = {"webhook_delivery"}
"""Where in the gateway's stream, which is exported itself, the push of a delivery stands."""


def test_P44_every_personal_family_is_exported() -> None:
    told = {*EXPORTED, "idempotency", *(family.name for family, _ in STREAMS)}
    personal = {family.name for family in TABLE if family.personal}

    assert personal - told <= DELIVERIES | LIST_OF_KEYS


def test_P47_an_erased_cardholder_is_gone_with_the_answer(live: Service) -> None:
    marker = seeded(live)
    before = taken(live, "held")
    answer = live.ask("DELETE", f"/v1/cardholders/{marker}")
    receipt = body(answer)

    assert answer.status_code == 200
    assert receipt["receipt_id"].startswith("ers_")
    assert (before, taken(live, "held")) == ((1, 2000), (0, 0))
    assert live.ask("GET", f"/v1/cardholders/{marker}").status_code == 404
    assert listed(live, marker)["personalised"] is False
    assert words(tell(live, {**an_event("late"), "cardholder_id": marker})) == ["cardholder_erased"]
    assert live.ask("PUT", f"/v1/cardholders/{marker}", {"city": "X"}).status_code == 409
    assert live.ask("PUT", f"/v1/cardholders/{marker}/consent", CONSENT).status_code == 409
    assert activate(live, marker, "held", key="again").status_code == 404
    assert body(live.ask("DELETE", f"/v1/cardholders/{marker}")) == receipt


def test_P47_who_is_asked_for_after_his_erasure_is_not_noted_anew(
    live: Service, store_url: str
) -> None:
    live.ask("DELETE", ONE)
    listed(live)
    live.ask("POST", "/v1/recommendations:batch", {"cardholder_ids": ["ch_0", "ch_1"]})
    live.services.serves.flush()
    connection = a_connection(store_url, log=open_log("error"), metrics=Metrics())

    assert Finder((connection,)).keys_with("demo", "ch_0") == []
    assert SERVES.key("demo") in Finder((connection,)).keys_with("demo", "ch_1")
    connection.close()


def test_P47_his_row_in_the_model_is_masked_at_once(live: Service) -> None:
    live.ask("DELETE", ONE)

    assert interests(live) == {}
    assert listed(live)["personalised"] is False


def test_P47_another_issuers_cardholder_of_the_same_id_stays(live: Service) -> None:
    live.ask("PUT", ONE, {"city": "Shanghai"}, issuer_id="other")
    live.ask("DELETE", ONE)

    assert live.ask("GET", ONE, issuer_id="other").status_code == 200


def test_P47_an_erasure_is_proven_by_a_command(
    live: Service, tmp_path: Path, store_url: str, clean_environment: dict[str, str]
) -> None:
    marker = seeded(live)
    setting = {
        "redis_url": store_url,
        "archive": str(tmp_path / "archive"),
        "shelf": str(live.shelves),
    }
    who = ["--issuer", "demo", "--cardholder", marker]
    assert (
        run_command(["worker", "archive", "--once"], clean_environment, **setting).returncode == 0
    )
    never = run_command(["erasure", "verify", *who], clean_environment, **setting)
    assert "never erased" in never.stderr
    assert orjson.loads(never.stdout)["archive"]

    live.ask("DELETE", f"/v1/cardholders/{marker}")
    early = run_command(["erasure", "verify", *who], clean_environment, **setting)
    assert "still found in: archive, stores" in early.stderr
    run_command(["worker", "archive", "--once"], clean_environment, **setting)
    proven = run_command(["erasure", "verify", *who], clean_environment, **setting)
    left = orjson.loads(proven.stdout)

    assert proven.returncode == 0, proven.stderr
    assert (left["stores"], left["archive"], left["models"]) == ([], {}, [])
    assert left["receipt"]["finished_at"]
    assert (live.shelves / "demo" / FILE_NAME).is_file()


def test_P47_an_older_model_that_names_him_is_found(
    live: Service, store_url: str, clean_environment: dict[str, str]
) -> None:
    live.ask("DELETE", ONE)
    who = ["--issuer", "demo", "--cardholder", "ch_0"]
    setting = {"redis_url": store_url, "shelf": str(live.shelves)}
    found = run_command(["erasure", "verify", *who], clean_environment, **setting)

    assert found.returncode == 1
    assert orjson.loads(found.stdout)["models"] == live.shelf().versions()


def test_P19_everything_kept_has_an_end_and_events_reach_theirs(live: Service) -> None:
    with pytest.raises(ValueError, match="how long it is kept"):
        Family("x", "hash", "durable", None, "", "nothing")
    waved = an_event("gone", "dismissed", reason="not_now")
    tell(live, an_event("old"), waved, an_event("took", "activated", item_id="offer_2"))
    seen = live.stores.cardholders.state_of("demo", "ch_1")
    assert (len(seen.contacts), len(seen.dismissals)) == (2, 1)

    later = datetime.now(UTC) + timedelta(days=181)
    ended = Retention(live.stores.durable).run("demo", later, 180)
    assert ended.cardholder_fields == 4
    assert live.stores.cardholders.state_of("demo", "ch_1").contacts == ()


def test_P19_what_was_served_ends_after_seven_days_also_where_little_is(
    live: Service, store_url: str, tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    name = SERVES.key("demo")
    ago = {days: int((datetime.now(UTC) - timedelta(days=days)).timestamp()) for days in (6, 8)}
    for seconds in (ago[8], ago[6]):
        live.stores.cache.ask(
            lambda store, at=seconds: store.xadd(name, {"serve": "{}"}, id=f"{at}000-1")  # type: ignore[misc]
        )
    setting = {
        "redis_url": store_url,
        "archive": str(tmp_path / "archive"),
        "shelf": str(live.shelves),
    }
    run_command(["worker", "archive", "--once"], clean_environment, **setting)
    left: Any = live.stores.cache.ask(lambda store: store.xrange(name))

    assert [position for position, _ in left] == [f"{ago[6]}000-1".encode()]


def an_audit_log(live: Service) -> AuditLog:
    return AuditLog(live.stores.durable, live.stores.deny_list, live.clock)


def test_P54_each_demand_adds_exactly_one_entry_without_an_id_in_clear(
    live: Service,
) -> None:
    live.ask("GET", f"{ONE}/data-export")
    live.ask("DELETE", f"{ONE}/interests/merchant.m_2")
    live.ask("DELETE", ONE)
    live.ask("DELETE", ONE)

    assert audit_actions(live) == ["data_exported", "interest_deleted", "erased"]
    assert "ch_0" not in live.ask("GET", "/v1/audit").text
    assert body(live.ask("GET", "/v1/audit:verify"))["holds"] is True


def test_P54_a_moved_model_adds_one_entry_and_a_refused_move_none(
    live: Service,
) -> None:
    version = live.shelf().versions()[0]
    assert live.ask("POST", f"/v1/models/{version}:promote").status_code == 200
    assert live.ask("POST", "/v1/models:rollback").status_code == 409
    assert live.ask("GET", "/v1/models").status_code == 200

    (entry,) = body(live.ask("GET", "/v1/audit"))["items"]
    assert entry["action"] == "post /v1/models/<string:version>:promote"
    assert entry["detail"]["version"] == version


def test_P54_one_changed_byte_is_found_by_its_entry(
    live: Service, store_url: str, clean_environment: dict[str, str]
) -> None:
    log = an_audit_log(live)
    for n in range(5):
        log.append("demo", actor="k", action="published", detail={"n": n})
    key = AUDIT.key("demo")
    entries: Any = live.stores.durable.ask(lambda store: store.xrange(key))
    live.stores.durable.ask(lambda store: store.delete(key))
    for place, (position, fields) in enumerate(entries):
        if place == 2:
            fields = {**fields, b"line": fields[b"line"].replace(b'"n":2', b'"n":3')}  # noqa: PLW2901
        live.stores.durable.ask(
            lambda store, position=position, fields=fields: store.xadd(  # type: ignore[misc]
                key, fields, id=position
            )
        )

    verdict = log.verify("demo")
    assert (verdict.broken_seq, verdict.reason) == (3, "changed")
    told = run_command(
        ["audit", "verify", "--issuer", "demo"], clean_environment, redis_url=store_url
    )
    assert (told.returncode, "entry 3: changed" in told.stderr) == (1, True)


def test_P54_a_dropped_entry_breaks_the_chain(live: Service) -> None:
    log = an_audit_log(live)
    for _ in range(4):
        log.append("demo", actor="k", action="published")
    live.stores.durable.ask(lambda store: store.xdel(AUDIT.key("demo"), "2-1"))

    assert log.verify("demo").broken_seq == 3


def test_P54_dropping_the_last_entries_is_found_and_stops_no_right(live: Service) -> None:
    log = an_audit_log(live)
    for _ in range(4):
        log.append("demo", actor="k", action="published")
    live.stores.durable.ask(lambda store: store.xdel(AUDIT.key("demo"), "3-1", "4-1"))

    verdict = log.verify("demo")
    assert (verdict.broken_seq, verdict.reason) == (3, "missing_at_end")
    assert live.ask("DELETE", ONE).status_code == 200
    assert log.append("demo", actor="k", action="published") == 6
    verdict = log.verify("demo")
    assert (verdict.broken_seq, verdict.reason) == (5, "missing_before")


def test_P54_a_log_whose_every_entry_was_dropped_is_no_empty_log(live: Service) -> None:
    log = an_audit_log(live)
    assert log.verify("demo").broken_seq is None
    log.append("demo", actor="k", action="published")
    live.stores.durable.ask(lambda store: store.xdel(AUDIT.key("demo"), "1-1"))

    assert log.verify("demo").broken_seq == 1


def test_P54_many_at_once_make_one_chain(live: Service) -> None:
    log = an_audit_log(live)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: log.append("demo", actor=f"k{n}", action="x"), range(40)))

    assert sorted(numbers) == list(range(1, 41))
    assert log.verify("demo").broken_seq is None


def test_P_pseudonyms_of_one_id_differ_between_issuers(live: Service) -> None:
    deny = live.stores.deny_list

    assert deny.hash_of("demo", "ch_0") != deny.hash_of("other", "ch_0")
    assert deny.hash_of("demo", "ch_0") == DenyList(live.stores.durable).hash_of("demo", "ch_0")


def test_the_finder_takes_no_id_for_a_longer_one(live: Service, store_url: str) -> None:
    tell(live, {**an_event("x"), "cardholder_id": "ch_77"})
    connection = a_connection(store_url, log=open_log("error"), metrics=Metrics())
    finder = Finder((connection,))

    assert finder.keys_with("demo", "ch_7") == []
    assert finder.keys_with("demo", "ch_77") == [
        CARDHOLDER.key("demo", "ch_77"),
        EVENTS.key("demo"),
    ]
    connection.close()


def test_an_opted_out_cardholder_still_sees_his_dismissals_kept(live: Service) -> None:
    tell(live, {**an_event("d", "dismissed"), "cardholder_id": "ch_5"})

    assert "offer_1" not in item_ids(live, "ch_5")
