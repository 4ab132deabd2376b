"""What an operator does at the command line is on record, and officers learn what they must."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.incidents import Incident, IncidentStore, Window
from recsvc.stores.keys.cardholders import CARDHOLDER
from recsvc.stores.keys.events import EVENTS_DEAD
from recsvc.stores.keys.requests import SERVES
from recsvc.stores.keys.table import TABLE
from recsvc.stores.outreach.rosters import RosterStore, parts_of
from tests.bundles import an_offer
from tests.service import Service, run_command

LONG_AGO = "2000-01-01T00:00:00Z"


@pytest.fixture
def environ(clean_environment: dict[str, str], store_url: str) -> dict[str, str]:
    """An environment whose store is the empty one of this test."""
    return {**clean_environment, "RECSVC_REDIS_URL": store_url}


def log_of(stores: Stores) -> AuditLog:
    return AuditLog(stores.durable, stores.deny_list, lambda: datetime.now(UTC))


def entries(stores: Stores, issuer_id: str = "demo") -> list[dict[str, Any]]:
    return [one.document() for one in log_of(stores).page(issuer_id, after=0, limit=100)]


def did(environ: dict[str, str], *arguments: str) -> str:
    done = run_command(list(arguments), environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_P54_every_command_that_changes_or_reads_somebody_out_leaves_one_entry(
    environ: dict[str, str], stores: Stores, tmp_path: Path
) -> None:
    offers, people = tmp_path / "offers.ndjson", tmp_path / "people.ndjson"
    offers.write_text(json.dumps(an_offer("o1")))
    people.write_text('{"cardholder_id": "ch_1"}\n{"cardholder_id": "ch_2"}\n')
    to = ("--issuer", "demo")
    key = did(environ, "keys", "create", *to, "--scope", "rec:read", "--actor", "ann@bank.example")
    did(environ, "keys", "revoke", key.split("_")[1])
    did(environ, "catalog", "import", *to, str(offers))
    did(environ, "cardholders", "import", *to, str(people))
    did(environ, "retention", "run")
    did(environ, "erasure", "list", *to, "--out", str(tmp_path / "erased.json"))
    did(environ, "erasure", "find", *to, "--cardholder", "ch_1")
    did(environ, "campaigns", "export", *to, "--out", str(tmp_path / "pushes.ndjson"))
    did(environ, "keys", "list")
    did(environ, "retention", "show")

    told = entries(stores)
    assert [one["action"] for one in told] == [
        "key_created",
        "key_revoked",
        "catalog_imported",
        "cardholders_imported",
        "retention_run",
        "erased_listed",
        "traces_read",
        "campaign_outcomes_exported",
    ]
    assert told[0]["actor"] == f"cli:{getpass.getuser()}:ann@bank.example"
    assert {one["actor"] for one in told[1:]} == {f"cli:{getpass.getuser()}"}
    assert told[0]["detail"]["key_id"] == told[1]["detail"]["key_id"] == key.split("_")[1]
    assert told[6]["subject"] == stores.deny_list.hash_of("demo", "ch_1")
    assert "ch_1" not in json.dumps(told)
    assert key.strip().split("_")[2] not in json.dumps(told)
    assert "8 entries hold" in did(environ, "audit", "verify", *to)


def test_an_issuer_opts_into_an_alliance_by_command_and_both_have_it_on_record(
    environ: dict[str, str], stores: Stores
) -> None:
    join = ["alliance", "join", "union", "--issuer", "demo"]
    assert "no alliance of this id is open" in run_command(join, environ).stderr
    did(environ, "alliance", "open", "union")
    did(environ, *join, "--actor", "ann")
    listed = did(environ, "alliance", "list", "--issuer", "demo", "--json")
    assert json.loads(listed) == {"open": ["union"], "joined": ["union"]}

    did(environ, "alliance", "leave", "union", "--issuer", "demo")
    again = run_command(["alliance", "leave", "union", "--issuer", "demo"], environ)
    assert (again.returncode, "has not joined" in again.stderr) == (1, True)
    did(environ, "alliance", "close", "union")
    assert [one["action"] for one in entries(stores)] == ["alliance_joined", "alliance_left"]
    assert [one["action"] for one in entries(stores, "union")] == [
        "alliance_opened",
        "alliance_closed",
    ]


def test_P54_what_cannot_be_put_on_record_is_not_done(
    environ: dict[str, str], stores: Stores
) -> None:
    log_of(stores).append("demo", actor="k", action="x")
    stores.durable.ask(lambda store: store.config_set("maxmemory", "1"))
    try:
        done = run_command(["keys", "create", "--issuer", "demo", "--scope", "rec:read"], environ)
    finally:
        stores.durable.ask(lambda store: store.config_set("maxmemory", "0"))

    assert done.returncode == 1
    assert "rsk_" not in done.stdout
    assert stores.api_keys.all() == {}


@pytest.mark.parametrize("name", ["4929123456781236", "a b"])
def test_an_actor_that_the_log_cannot_keep_is_refused(environ: dict[str, str], name: str) -> None:
    asked = ["keys", "create", "--issuer", "demo", "--scope", "rec:read", "--actor", name]

    assert run_command(asked, environ).returncode == 2


def touched(environ: dict[str, str], *more: str) -> dict[str, Any]:
    asked = ("incident", "export", "--issuer", "demo", "--since", LONG_AGO, *more)
    found: dict[str, Any] = json.loads(did(environ, *asked))
    return found


def incident(stores: Stores, *, served: bool = False, **window: Any) -> Incident:
    """The same without a process of its own."""
    reader = IncidentStore(
        stores.durable,
        stores.cache,
        log_of(stores),
        stores.deny_list,
        RosterStore(stores.durable),
    )
    chosen = {"since": datetime.fromisoformat(LONG_AGO), "until": datetime.now(UTC), **window}
    return reader.of("demo", Window(**chosen), served=served)


def test_P57_an_officer_learns_whose_data_a_key_has_read_out(
    environ: dict[str, str], service: Service
) -> None:
    for name in ("ch_1", "ch_2", "ch_3"):
        service.ask("PUT", f"/v1/cardholders/{name}", {"city": "Shanghai"})
    ours, others = service.key("demo", "privacy:admin"), service.key("demo", "privacy:admin")
    for key, name in ((ours, "ch_1"), (ours, "ch_1"), (others, "ch_2")):
        sent = {"Authorization": f"Bearer {key}"}
        path = f"/v1/cardholders/{name}/data-export"
        assert service.ask("GET", path, headers=sent).status_code == 200
    service.ask("DELETE", "/v1/cardholders/ch_2")

    found = touched(environ, "--key", ours.split("_")[1])
    (row,) = found["cardholders"]
    assert (row["cardholder_id"], row["actions"]) == ("ch_1", {"data_exported": 2})
    assert row["actors"] == [ours.split("_")[1]]
    everybody = {one.cardholder_id for one in incident(service.stores).touched.values()}
    assert everybody == {"ch_1", None}  # ch_2 was erased: by pseudonym only
    assert [one["action"] for one in entries(service.stores)][-1] == "incident_exported"


def test_P57_a_window_is_half_open_and_needs_a_zone(
    environ: dict[str, str], service: Service
) -> None:
    service.ask("PUT", "/v1/cardholders/ch_1", {"city": "Shanghai"})
    service.ask("GET", "/v1/cardholders/ch_1/data-export")
    at, tick = service.clock(), timedelta(microseconds=1)

    assert len(incident(service.stores, until=at).touched) == 0
    assert len(incident(service.stores, since=at, until=at + tick).touched) == 1
    assert len(incident(service.stores, since=at + tick).touched) == 0
    naive = ["incident", "export", "--issuer", "demo", "--since", "2026-01-01T00:00:00"]
    assert "has no zone" in run_command(naive, environ).stderr


def test_P57_an_exported_audience_and_served_lists_name_everyone_in_them(
    stores: Stores,
) -> None:
    rosters, log = RosterStore(stores.durable), log_of(stores)
    rows = [("ch_1", "o", True, "", 0.0), ("ch_2", "o", False, "", 0.0)]
    rosters.put("demo", "cmp_1", parts_of(rows))
    for campaign_id in ("cmp_1", "cmp_gone"):
        log.append(
            "demo",
            actor="k1",
            action="get /v1/campaigns/<string:campaign_id>/audience",
            detail={"campaign_id": campaign_id},
        )
    served = json.dumps({"cardholder_id": "ch_9"})
    stores.durable.ask(lambda store: store.xadd(SERVES.key("demo"), {"serve": served}))

    found = incident(stores, actor="k1")
    assert [one.cardholder_id for one in found.touched.values()] == ["ch_1"]
    assert found.audiences_gone == ("cmp_gone",)
    more = incident(stores, served=True).touched.values()
    assert {one.cardholder_id for one in more} == {"ch_1", "ch_9"}


def test_P57_a_list_served_in_the_millisecond_in_which_the_window_ends_is_in_it(
    stores: Stores,
) -> None:
    served = json.dumps({"cardholder_id": "ch_9"})
    at = datetime(2026, 4, 1, tzinfo=UTC)
    position = f"{int(at.timestamp() * 1000)}-0"
    stores.durable.ask(lambda s: s.xadd(SERVES.key("demo"), {"serve": served}, position))
    tick = timedelta(microseconds=1)

    found = incident(stores, served=True, since=at, until=at + tick).touched.values()
    assert [one.cardholder_id for one in found] == ["ch_9"]
    assert not incident(stores, served=True, since=at - tick, until=at).touched


def test_P51_the_map_of_the_data_names_every_family_that_is_written(
    environ: dict[str, str], service: Service
) -> None:
    shown = {line.split("  ")[0]: line for line in did(environ, "retention", "show").splitlines()}
    service.ask("PUT", "/v1/cardholders/ch_1", {"city": "Shanghai"})
    service.ask("PUT", "/v1/offers/o1", an_offer("o1"))
    service.ask("DELETE", "/v1/cardholders/ch_1")
    written: Any = service.stores.durable.ask(lambda store: list(store.scan_iter("*")))
    families = {name.decode().split(":")[2] for name in written}

    assert families <= set(shown)
    assert set(shown) == {family.name for family in TABLE}
    assert "personal" in shown[CARDHOLDER.name]
    assert "180 days" not in shown[CARDHOLDER.name]  # what ends it is said, not guessed
    assert all(len(line.split("  ")) >= 4 for line in shown.values())


def test_what_was_laid_aside_is_told_by_reason_and_date_and_names_nobody(
    environ: dict[str, str], stores: Stores
) -> None:
    asked = ("dead-letters", "--issuer", "demo")
    assert did(environ, *asked) == "nothing was laid aside in the last 30 days\n"
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    for day, reason in enumerate(("not_json", "field_missing", "not_json")):
        fields = {"event": '{"cardholder_id": "ch_1"', "position": "1-0", "reason": reason}
        position = f"{int((noon + timedelta(days=day)).timestamp() * 1000)}-0"
        stores.durable.ask(lambda s, f=fields, p=position: s.xadd(EVENTS_DEAD.key("demo"), f, p))  # type: ignore[misc]

    told = did(environ, *asked, "--json")
    missing = {"reason": "field_missing", "count": 1}
    broken = {"reason": "not_json", "count": 2}
    assert json.loads(told) == {
        "issuer_id": "demo",
        "events": [
            {**missing, "first_at": "2026-03-05T12:00:00Z", "last_at": "2026-03-05T12:00:00Z"},
            {**broken, "first_at": "2026-03-04T12:00:00Z", "last_at": "2026-03-06T12:00:00Z"},
        ],
        "pushes": [],
    }
    assert did(environ, *asked).splitlines() == [
        "events  field_missing  1  2026-03-05T12:00:00Z to 2026-03-05T12:00:00Z",
        "events  not_json  2  2026-03-04T12:00:00Z to 2026-03-06T12:00:00Z",
    ]
    assert did(environ, "dead-letters", "--issuer", "other", "--json").count("[]") == 2
