"""Card numbers, resident ids, phone numbers and secrets, sent everywhere, stand nowhere."""

import re
import urllib.parse
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recsvc.stores.keys.events import EVENTS
from recsvc.stores.rights.finding import _values
from tests.bundles import an_offer
from tests.faults.world import World
from tests.service import run_command, until
from tests.training.mapping.world import a_file, a_mapping, a_row, bring_in

CARD = "4929123456781236"
UNIONPAY = "6221261234567890"
RESIDENT = "11010519491231002X"
PHONE = "13812345678"
SPELLINGS = {
    "card": CARD,
    "spaced": "4929 1234 5678 1236",
    "dashed": "4929-1234-5678-1236",
    "full_width": "４９２９１２３４５６７８１２３６",
    "unionpay": UNIONPAY,
    "resident": RESIDENT,
    "phone": PHONE,
}
AT = "2026-03-04T12:00:00Z"


def entrances(number: str) -> list[tuple[str, str, Any, dict[str, str]]]:
    """Every place where a caller can put a text.

    A mobile number has no check digit, so ids of things may look like one: it is sent where people
    and words stand.
    """
    is_mobile = number == PHONE
    quoted = urllib.parse.quote(number)
    event = {"event_id": "seed", "type": "dismissed", "cardholder_id": "ch_1", "occurred_at": AT}
    paid = {
        "transaction_id": "t",
        "merchant_id": "m_1",
        "amount": {"amount_minor": 1, "currency": "CNY"},
        "status": "settled",
    }
    told = [
        {**event, "item_id": "offer_1", "reason": number},
        {**event, "cardholder_id": number, "item_id": "offer_1"},
        {**event, "item_id": "offer_1", "serve_token": number},
        {**event, "type": "transaction", "transaction": {**paid, "city": number}},
        {**event, "item_id": "offer_1", number: 1},
    ]
    things = [
        {**event, "item_id": number},
        {**event, "event_id": number, "item_id": "offer_1"},
        {**event, "type": "transaction", "transaction": {**paid, "transaction_id": number}},
        {**event, "type": "transaction", "transaction": {**paid, "merchant_id": number}},
    ]
    told += [] if is_mobile else things
    consent = {"personalisation": True, "marketing": {}, "purpose_version": number}
    key = {"Idempotency-Key": "seed"}
    of_things = [
        ("GET", f"/v1/cardholders/ch_1/recommendations?exclude={quoted}", None, {}),
        ("PUT", f"/v1/offers/{quoted}", an_offer(number), {}),
        ("POST", "/v1/cardholders/ch_1/activations", {"item_id": number}, key),
        ("POST", "/v1/rankings", {"cardholder_id": "ch_1", "item_ids": [number]}, {}),
    ]
    of_people = [
        ("POST", "/v1/events", {"events": told}, {}),
        ("GET", f"/v1/cardholders/{quoted}/recommendations", None, {}),
        ("GET", f"/v1/cardholders/ch_1/recommendations?city={quoted}", None, {}),
        ("PUT", f"/v1/cardholders/{quoted}", {"city": "Shanghai"}, {}),
        ("PUT", "/v1/cardholders/ch_1", {"city": number}, {}),
        ("PUT", "/v1/cardholders/ch_1", {"segments": [number]}, {}),
        ("PUT", "/v1/cardholders/ch_1/consent", consent, {}),
        ("PUT", "/v1/offers/seed", an_offer("seed", title={"en": f"call {number}"}), {}),
        ("POST", f"/v1/cardholders/{quoted}/activations", {"item_id": "offer_1"}, key),
        ("POST", "/v1/rankings", {"cardholder_id": number, "item_ids": ["offer_1"]}, {}),
        ("GET", f"/v1/{quoted}", None, {}),
        ("GET", "/v1/offers?cursor=" + quoted, None, {}),
        ("GET", f"/v1/cardholders/ch_1/interests?{quoted}=1", None, {}),
    ]
    return of_people if is_mobile else of_people + of_things


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_F46_a_number_that_names_a_person_is_refused_at_every_entrance(
    shared: World, spelling: str
) -> None:
    number = SPELLINGS[spelling]
    for method, path, body, headers in entrances(number):
        answer = shared.server.ask(method, path, body, key=shared.key, headers=headers)

        assert answer.status in (200, 404, 422), (method, path.partition("?")[0])
        assert number.encode() not in answer.body
        if answer.status == 200 and path == "/v1/events":
            assert {result["status"] for result in answer.json["results"]} == {"rejected"}
        elif method != "GET":
            assert answer.status in (404, 422), (method, body)


def test_P_after_all_of_it_no_number_and_no_secret_stands_anywhere(
    shared: World, clean_environment: dict[str, str]
) -> None:
    for spelling in SPELLINGS.values():
        for method, path, body, headers in entrances(spelling):
            shared.server.ask(method, path, body, key=shared.key, headers=headers)
    until(shared.is_whole, 15)
    setting = {
        "redis_url": f"redis://127.0.0.1:{shared.cache.port}/0",
        "durable_redis_url": f"redis://127.0.0.1:{shared.durable.port}/0",
        "archive": str(shared.folder / "archive"),
        "shelf": str(shared.folder / "shelf"),
    }
    done = run_command(["worker", "archive", "--once"], clean_environment, **setting)
    assert done.returncode == 0, done.stderr

    quarantined(shared.folder)
    places = places_of(shared)
    for kind, marker in MARKERS.items():  # what is there is really looked at, in each kind of place
        assert any(kind in name and marker in told for name, told in places.items()), kind
    secrets = [shared.key, shared.key.split("_")[2]]
    found = [
        (name, number)
        for name, told in places.items()
        for plain in (told, re.sub(rb"[ -]", b"", told))
        for number in (*SPELLINGS.values(), *secrets)
        if number.encode() in plain
    ]
    assert found == []


MARKERS = {
    ".aof": b"evt-",
    "stream of events": b"evt-",
    "cache": b"offer_",
    "parquet": b"evt-",
    "server.log": b"level",
    "shelf": b"manifest",
    "quarantine": b"card_number",
    "usage.parquet": b"acc1",
    "metrics": b"recsvc_",
    "openapi": b"/v1/events",
}
"""What must be found in each kind of place, so that finding no number there says something."""


def places_of(world: World) -> dict[str, bytes]:
    """Everything that was written, in a form in which a number would be seen."""
    found = {
        str(path): readable(path) for path in sorted(world.folder.rglob("*")) if path.is_file()
    }
    for role, store in (("durable", world.durable), ("cache", world.cache)):
        client = store.client()
        for name in client.scan_iter():
            found[f"{role} {name.decode()}"] = b"\n".join((name, *_values(client, name)))
        client.close()
    found["stream of events"] = found.get(f"durable {EVENTS.key('demo')}", b"")
    for page in ("metrics", "openapi.json"):
        found[page] = world.ask("GET", f"/{page}").answer.body
    return found


def readable(path: Path) -> bytes:
    """Bytes of a file, unpacked where it is packed; its name is looked at as well."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist()).encode()
    return path.name.encode() + b"\n" + path.read_bytes()


def quarantined(folder: Path) -> None:
    """Bring usage in with every number in it, so that a table and a quarantine are left."""
    home = folder / "import"
    home.mkdir(exist_ok=True)
    spoiled = [f"02/03/2024,{n},ARGOS,5.00" for n in SPELLINGS.values()]
    named = [f"03/03/2024,acc9,Stall {n},5.00" for n in SPELLINGS.values()]
    a_file(home, "a.csv", *(a_row(n) for n in range(40)), *spoiled, *named)
    report = bring_in(a_mapping(home, more="[checks]\nmax_rejected_share = 0.5"))
    (home / "a.csv").unlink()  # the issuer's own file is not ours
    assert sum(report.rows_rejected.values()) == 2 * len(SPELLINGS)
