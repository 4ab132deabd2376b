"""Events over HTTP, through the archive, into a bundle and back: each counts once all the way."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.dead_letters import DeadLetterStore
from recsvc.stores.events.archive import ArchiveStore
from recsvc.stores.keys.events import EVENTS
from recsvc.workers.archiver import MOST_DELIVERIES, Archiver
from tests.archives import read_rows
from tests.bundles import an_offer
from tests.service import Service
from tests.training.pipeline.test_run import history_of, train
from tests.training.worlds import World, a_world

AFTER_USAGE = datetime(2025, 4, 11, 12, tzinfo=UTC)
CONSENT = {"personalisation": True, "marketing": {}, "purpose_version": "1"}
OFFER = an_offer("offer_2", merchant_id="m_2", mcc="5812")


@pytest.fixture
def world(tmp_path: Path, service: Service) -> World:
    """The checkerboard's usage, one offer, and a cardholder whom no usage knows."""
    service.clock.now = AFTER_USAGE
    assert service.ask("PUT", "/v1/offers/offer_2", OFFER).status_code == 201
    service.ask("PUT", "/v1/cardholders/new/consent", CONSENT)
    service.look()
    return a_world(tmp_path, catalog=[OFFER])


def a_payment(number: int, status: str = "settled") -> dict[str, Any]:
    return {
        "event_id": f"pay-{number}-{status}",
        "type": "transaction",
        "cardholder_id": "new",
        "occurred_at": f"2025-04-11T0{number}:00:00Z",
        "transaction": {
            "transaction_id": f"tx-{number}",
            "merchant_id": "m_2",
            "mcc": "5812",
            "amount": {"amount_minor": 20_000, "currency": "CNY"},
            "status": status,
        },
    }


def tell(service: Service, *events: dict[str, Any]) -> list[str]:
    answer = service.ask("POST", "/v1/events", {"events": list(events)})
    assert answer.status_code == 200, answer.text
    return [one["status"] for one in answer.json["results"]]


def archive(service: Service, folder: Path, log: Log, rounds: int = 1) -> ArchiveStore:
    store = ArchiveStore(service.stores.durable, "one")
    archiver = Archiver(
        "demo",
        store,
        folder,
        erased=lambda: service.stores.deny_list.all("demo"),
        clock=service.clock,
        log=log,
        metrics=Metrics(),
        idle_seconds=0.0,
    )
    for _ in range(rounds):
        archiver.round()
    return store


def trained(world: World, events: Path) -> Bundle:
    result = train(world, "--events", str(events))
    assert result.exit_code == 0, result.output
    bundle = Shelf(world.folder / "shelf", "demo").current()
    assert bundle is not None
    return bundle


def visits(service: Service) -> int:
    """How often the next answer says that he was at the offer's merchant."""
    service.look()
    answer = service.ask("GET", "/v1/cardholders/new/recommendations")
    assert answer.status_code == 200, answer.text
    (item,) = answer.json["items"]
    return int(item["reasons"][0]["evidence"][0]["visits"])


def test_an_event_counts_once_before_and_after_the_bundle_that_knows_it(
    world: World, service: Service, log: Log
) -> None:
    assert tell(service, *map(a_payment, (1, 2, 3)), a_payment(1)) == [
        *["accepted"] * 3,
        "duplicate",
    ]
    without_events = train(world)
    before = visits(service)
    archive(service, world.folder / "archive", log)
    bundle = trained(world, world.folder / "archive")
    known = visits(service)
    tell(service, a_payment(4))

    rows = [r for f in (world.folder / "archive").rglob("*.parquet") for r in read_rows(f)]
    assert without_events.exit_code == 0
    assert bundle.manifest.events_through == rows[-1]["position"]
    assert history_of(bundle, "new")["merchant:m_2"][1] == 3
    assert (before, known, visits(service)) == (3, 3, 4)


def test_an_archive_that_holds_an_event_twice_trains_as_if_once(
    world: World, service: Service, log: Log
) -> None:
    tell(service, *map(a_payment, (1, 2)))
    tell(service, a_payment(2, "reversed"))
    folder = world.folder / "archive"
    archive(service, folder, log)
    (path,) = folder.rglob("*.parquet")
    again = folder / "2025-04-12"
    again.mkdir()
    shutil.copy(path, again / path.name)

    assert history_of(trained(world, folder), "new")["merchant:m_2"][1] == 1


def test_f25_a_dead_letter_is_kept_with_its_reason_and_holds_no_training_up(
    world: World, service: Service, log: Log
) -> None:
    name = EVENTS.key("demo")
    tell(service, a_payment(1))
    service.stores.durable.ask(lambda store: store.xadd(name, {"event": b'{"event_id": 7}'}))
    tell(service, a_payment(2))
    store = archive(service, world.folder / "archive", log, MOST_DELIVERIES + 1)
    bundle = trained(world, world.folder / "archive")

    (dead,) = DeadLetterStore(service.stores.durable).of("demo")
    assert (dead.queue, dead.reason, dead.count) == ("events", "field_missing", 1)
    assert store.lag("demo") == 0
    assert history_of(bundle, "new")["merchant:m_2"][1] == 2
    assert visits(service) == 2
