"""A deleted interest reaches the trainer, and only what came after the deletion comes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from embeddings.bundle import Bundle
from embeddings.deleted_interests import FILE_NAME, DeletedInterests
from embeddings.erasure import erased_hash
from recsvc.domain.errors import ConflictError
from recsvc.domain.moment import microseconds
from recsvc.logs import Log
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.cardholders import DELETED_INTERESTS
from recsvc.stores.rights.deleted_interests import SETTLED, DeletedInterestStore
from recsvc.stores.rights.erasure import ErasureStore
from recsvc.workers.telling import Telling
from tests.bundles import an_offer
from tests.recsvc.workers.test_round_trip import AFTER_USAGE, CONSENT, archive, tell, trained
from tests.service import Clock, Service, run_command
from tests.training.pipeline.test_run import history_of, train
from tests.training.worlds import World, a_world

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
OFFER = an_offer("offer_4", merchant_id="m_4", mcc="5812")
ONE = "/v1/cardholders/ch_0"


class Desk:
    """The stores, the shelf, and a clock that is set."""

    def __init__(self, stores: Stores, shelf: Path) -> None:
        self.stores, self.shelf, self.clock = stores, shelf, Clock(LATER)
        self._tellings: dict[str, Telling] = {}

    def delete(self, who: str, column: str, at: datetime = NOON, issuer_id: str = "demo") -> None:
        self.stores.cardholders.delete_interest(issuer_id, who, column, at)

    def erase(self, who: str) -> None:
        held = self.stores
        erasure = ErasureStore(held.writes, held.ledger, held.deny_list, held.idempotency)
        erasure.erase("demo", who, {"receipt_id": "ers_1"})

    def round(self, issuer_id: str = "demo") -> bool:
        store = DeletedInterestStore(self.stores.durable, self.stores.deny_list)
        new = Telling(issuer_id, store, self.shelf / issuer_id, self.clock)
        return self._tellings.setdefault(issuer_id, new).round()

    def path(self, issuer_id: str = "demo") -> Path:
        return self.shelf / issuer_id / FILE_NAME

    def told(self, who: str, issuer_id: str = "demo") -> dict[str, int]:
        """What the trainer knows that a cardholder deleted."""
        found = DeletedInterests.read(self.path(issuer_id))
        return dict(found.deletions.get(erased_hash(found.key, who), {}))


@pytest.fixture
def desk(stores: Stores, tmp_path: Path) -> Desk:
    return Desk(stores, tmp_path / "shelf")


def test_the_trainer_is_told_who_deleted_what_and_when(desk: Desk) -> None:
    desk.delete("ch_1", "merchant:m_1")
    desk.delete("ch_1", "category:5812", LATER - SETTLED)

    assert desk.round()
    assert desk.told("ch_1") == {
        "merchant:m_1": microseconds(NOON),
        "category:5812": microseconds(LATER - SETTLED),
    }
    assert desk.told("ch_2") == {}
    assert b"ch_1" not in desk.path().read_bytes()
    assert not desk.round()


def test_where_nothing_was_ever_deleted_there_is_no_list(desk: Desk) -> None:
    assert not desk.round()
    assert not desk.path().exists()


def test_of_two_deletions_of_one_interest_the_later_counts_in_whichever_order(
    desk: Desk,
) -> None:
    for who, instants in (("ch_1", (NOON, LATER)), ("ch_2", (LATER, NOON))):
        for at in instants:
            desk.delete(who, "merchant:m_1", at)
        assert desk.stores.cardholders.state_of("demo", who).forgotten == {"merchant:m_1": LATER}

    desk.round()
    assert desk.told("ch_1") == desk.told("ch_2") == {"merchant:m_1": microseconds(LATER)}


def test_P47_the_deletions_of_the_erased_are_gone_from_store_and_list(desk: Desk) -> None:
    for who in ("ch_1", "ch_2"):
        desk.delete(who, "merchant:m_1")
    desk.round()

    desk.erase("ch_1")

    assert desk.round()
    assert (desk.told("ch_1"), len(desk.told("ch_2"))) == ({}, 1)
    name = DELETED_INTERESTS.key("demo")
    assert desk.stores.durable.ask(lambda store: store.hlen(name)) == 2  # ch_2's, and the revision
    with pytest.raises(ConflictError, match="nothing is kept"):
        desk.delete("ch_1", "merchant:m_1")


def test_an_issuer_is_told_of_his_own_cardholders_only(desk: Desk) -> None:
    desk.delete("ch_1", "merchant:m_1")
    desk.delete("ch_1", "merchant:m_2", issuer_id="other")
    assert desk.round()
    assert desk.round("other")

    assert desk.told("ch_1").keys() == {"merchant:m_1"}
    assert desk.told("ch_1", "other").keys() == {"merchant:m_2"}
    assert DeletedInterests.read(desk.path("other")).issuer_id == "other"


def test_a_deletion_is_on_the_list_at_once_and_vouched_for_when_it_is_settled(
    desk: Desk,
) -> None:
    desk.delete("ch_1", "merchant:m_1")
    desk.delete("ch_2", "merchant:m_1", LATER)
    desk.round()
    assert len(desk.told("ch_2")) == 1
    assert DeletedInterests.read(desk.path()).through == NOON

    assert not desk.round()
    desk.clock.pass_time(seconds=SETTLED.total_seconds())
    assert desk.round()
    assert DeletedInterests.read(desk.path()).through == LATER
    assert not desk.round()


def test_a_damaged_or_missing_list_is_written_anew(desk: Desk) -> None:
    desk.delete("ch_1", "merchant:m_1")
    desk.round()
    whole = desk.path().read_bytes()

    desk.path().write_bytes(whole[:40])
    assert desk.round()
    assert desk.path().read_bytes() == whole
    desk.path().unlink()
    assert desk.round()
    assert desk.path().read_bytes() == whole


def test_a_store_that_lost_everything_takes_nothing_from_the_list(desk: Desk) -> None:
    desk.delete("ch_1", "merchant:m_1")
    desk.round()
    desk.stores.durable.ask(lambda store: store.flushall())

    assert not desk.round()
    assert len(desk.told("ch_1")) == 1


def test_the_archiver_tells_the_trainer(
    desk: Desk, service: Service, store_url: str, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    assert service.ask("PUT", "/v1/offers/offer_4", OFFER).status_code == 201
    desk.delete("ch_1", "merchant:m_1")
    places = {"archive": str(tmp_path / "archive"), "shelf": str(desk.shelf)}

    done = run_command(
        ["worker", "archive", "--once"], clean_environment, redis_url=store_url, **places
    )

    assert done.returncode == 0, done.stderr
    assert desk.told("ch_1").keys() == {"merchant:m_1"}


@pytest.fixture
def world(tmp_path: Path, service: Service) -> World:
    """The checkerboard's usage, in which ch_0 was thrice at m_4 and twelve times in 5812."""
    service.clock.now = AFTER_USAGE
    assert service.ask("PUT", "/v1/offers/offer_4", OFFER).status_code == 201
    service.ask("PUT", f"{ONE}/consent", CONSENT)
    world = a_world(tmp_path, catalog=[OFFER])
    assert train(world).exit_code == 0
    service.look()
    return world


def interests(service: Service) -> dict[str, int]:
    """Visits of each interest of ch_0."""
    service.look()
    found = service.ask("GET", f"{ONE}/interests").json["interests"]
    return {row["tag"]: row["evidence"]["visits"] for row in found}


def told_visits(service: Service) -> list[int]:
    """Visits to m_4 in the evidence of the next list of ch_0."""
    (item,) = service.ask("GET", f"{ONE}/recommendations").json["items"]
    told = [one for reason in item["reasons"] for one in reason["evidence"]]
    return [one["visits"] for one in told if one.get("merchant_id") == "m_4"]


def pay(service: Service, at: datetime) -> None:
    """ch_0 pays at m_4, and it is heard of an hour later."""
    service.clock.now = at + timedelta(hours=1)
    paid: dict[str, Any] = {
        "event_id": f"pay-{at:%d%H}",
        "type": "transaction",
        "cardholder_id": "ch_0",
        "occurred_at": at.isoformat(),
        "transaction": {
            "transaction_id": f"tx-{at:%d%H}",
            "merchant_id": "m_4",
            "mcc": "5812",
            "amount": {"amount_minor": 20_000, "currency": "CNY"},
            "status": "settled",
        },
    }
    assert tell(service, paid) == ["accepted"]


def retrained(world: World, service: Service, log: Log) -> Bundle:
    """A bundle of the usage and all events so far."""
    archive(service, world.folder / "archive", log)
    return trained(world, world.folder / "archive")


def delete(service: Service, tag: str = "merchant.m_4") -> None:
    assert service.ask("DELETE", f"{ONE}/interests/{tag}").status_code == 204


def tell_trainer(world: World, service: Service) -> None:
    """What the archiver does, once the deletion is settled."""
    store = DeletedInterestStore(service.stores.durable, service.stores.deny_list)
    service.clock.pass_time(seconds=SETTLED.total_seconds())
    assert Telling("demo", store, world.folder / "shelf" / "demo", service.clock).round()


def test_P17b_after_the_next_training_only_the_visit_since_the_deletion_counts(
    world: World, service: Service, log: Log
) -> None:
    assert (interests(service)["merchant.m_4"], told_visits(service)) == (3, [3])
    delete(service)
    assert ("merchant.m_4" in interests(service), told_visits(service)) == (False, [])
    tell_trainer(world, service)

    pay(service, AFTER_USAGE + timedelta(days=2))
    assert (interests(service)["merchant.m_4"], told_visits(service)) == (1, [1])
    bundle = retrained(world, service, log)

    assert history_of(bundle, "ch_0")["merchant:m_4"] == (1.0, 1)
    assert history_of(bundle, "ch_0")["category:5812"][1] == 13
    found = interests(service)
    assert (found["merchant.m_4"], found["category.5812"]) == (1, 13)
    assert told_visits(service) == [1]

    pay(service, AFTER_USAGE + timedelta(days=3))
    assert (interests(service)["merchant.m_4"], told_visits(service)) == (2, [2])


def test_P17b_a_visit_later_on_the_day_of_the_deletion_counts_after_training_too(
    world: World, service: Service, log: Log
) -> None:
    delete(service)
    tell_trainer(world, service)
    pay(service, AFTER_USAGE + timedelta(hours=3))
    pay(service, AFTER_USAGE + timedelta(days=1))

    bundle = retrained(world, service, log)

    assert history_of(bundle, "ch_0")["merchant:m_4"][1] == 1
    assert (interests(service)["merchant.m_4"], told_visits(service)) == (2, [2])


def test_P17b_a_bundle_that_was_trained_without_the_list_brings_nothing_back(
    world: World, service: Service, log: Log
) -> None:
    delete(service)
    pay(service, AFTER_USAGE + timedelta(days=2))

    bundle = retrained(world, service, log)

    assert history_of(bundle, "ch_0")["merchant:m_4"][1] == 4
    assert (interests(service)["merchant.m_4"], told_visits(service)) == (1, [1])


def test_P17b_an_interest_deleted_again_after_a_training_is_gone_again(
    world: World, service: Service, log: Log
) -> None:
    delete(service)
    tell_trainer(world, service)
    pay(service, AFTER_USAGE + timedelta(days=2))
    retrained(world, service, log)
    assert interests(service)["merchant.m_4"] == 1

    delete(service)

    assert ("merchant.m_4" in interests(service), told_visits(service)) == (False, [])
    tell_trainer(world, service)
    assert "merchant:m_4" not in history_of(retrained(world, service, log), "ch_0")


def test_P17b_a_deleted_category_leaves_its_merchants_as_they_were(
    world: World, service: Service, log: Log
) -> None:
    delete(service, "category.5812")
    tell_trainer(world, service)
    pay(service, AFTER_USAGE + timedelta(days=2))
    bundle = retrained(world, service, log)

    assert history_of(bundle, "ch_0")["category:5812"] == (1.0, 1)
    found = interests(service)
    assert (found["merchant.m_4"], found["category.5812"]) == (4, 1)
