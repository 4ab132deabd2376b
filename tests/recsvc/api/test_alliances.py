"""One catalogue is shared by the issuers that opted into it; nothing else is."""

from typing import Any

import pytest

from recsvc.domain.budgets import Spent
from recsvc.domain.errors import ConflictError, NotFoundError
from recsvc.stores.alliances import AllianceStore
from recsvc.stores.events.budget_sums import BudgetSums
from tests.bundles import an_offer
from tests.recsvc.api.test_activations import look
from tests.recsvc.api.test_events import an_event
from tests.service import Service

LIST = "/v1/cardholders/ch_1/recommendations?limit=100"
BUDGET = {"total": {"count": 1}}


@pytest.fixture
def alliances(service: Service) -> AllianceStore:
    """Banks a and b with an offer each, bank c with none, and an alliance that may be joined."""
    for bank in ("a", "b", "union"):
        put(service, bank, f"of_{bank}")
    service.key("c")
    store = AllianceStore(service.stores.writes)
    store.open("union")
    return store


def put(service: Service, issuer_id: str, item_id: str, **changes: Any) -> None:
    offer = an_offer(item_id, **changes)
    answer = service.ask("PUT", f"/v1/offers/{item_id}", offer, issuer_id=issuer_id)
    assert answer.status_code in (200, 201)
    service.look()


def offered(service: Service, issuer_id: str) -> set[str]:
    items = service.ask("GET", LIST, issuer_id=issuer_id).json["items"]
    return {item["item_id"] for item in items}


def test_an_issuer_is_offered_an_alliances_items_from_when_he_joins_until_he_leaves(
    service: Service, alliances: AllianceStore
) -> None:
    assert offered(service, "a") == {"of_a"}
    alliances.join("a", "union")
    service.look()
    assert (offered(service, "a"), offered(service, "b")) == ({"of_a", "of_union"}, {"of_b"})

    alliances.leave("a", "union")
    service.look()
    assert offered(service, "a") == {"of_a"}


def test_an_issuer_without_a_catalogue_lives_on_the_alliances(
    service: Service, alliances: AllianceStore
) -> None:
    assert service.ask("GET", LIST, issuer_id="c").status_code == 503
    alliances.join("c", "union")
    service.look()
    assert offered(service, "c") == {"of_union"}

    alliances.close("union")
    service.look()
    assert offered(service, "c") == set()


def test_what_the_alliance_changes_is_felt_by_all_who_joined(
    service: Service, alliances: AllianceStore
) -> None:
    for bank in ("a", "b"):
        alliances.join(bank, "union")
    put(service, "union", "more")
    assert offered(service, "a") == {"of_a", "of_union", "more"}

    service.ask("DELETE", "/v1/offers/of_union", issuer_id="union")
    service.look()
    assert offered(service, "b") == {"of_b", "more"}


def test_an_issuers_own_item_stands_in_place_of_the_alliances(
    service: Service, alliances: AllianceStore
) -> None:
    alliances.join("a", "union")
    put(service, "a", "of_union", state="paused")

    assert offered(service, "a") == {"of_a"}


def test_only_items_are_shared(service: Service, alliances: AllianceStore) -> None:
    for bank in ("a", "b"):
        alliances.join(bank, "union")
    put(service, "union", "rare", budget=BUDGET, terms={"requires_activation": True})
    waved = {"events": [an_event("e1", "dismissed", item_id="of_union", reason="not_now")]}
    path = "/v1/cardholders/ch_1/activations"
    took = [
        service.ask(
            "POST", path, {"item_id": "rare"}, issuer_id=bank, headers={"Idempotency-Key": "k"}
        ).status_code
        for bank in ("a", "b", "a")
    ]
    service.ask("POST", "/v1/events", waved, issuer_id="a")
    look(service)

    assert took == [201, 201, 201]
    assert "of_union" not in offered(service, "a")
    assert "of_union" in offered(service, "b")
    assert BudgetSums(service.stores.durable).totals("union", ["rare"]) == (Spent(0, 0),)
    assert service.ask("GET", "/v1/offers/of_union", issuer_id="a").status_code == 404


def test_nobody_joins_what_is_not_open_or_is_his_own(
    service: Service, alliances: AllianceStore
) -> None:
    with pytest.raises(NotFoundError):
        alliances.join("a", "b")
    with pytest.raises(ConflictError, match="own catalogue"):
        alliances.join("union", "union")
    with pytest.raises(NotFoundError):
        alliances.leave("a", "union")
    service.stores.durable.ask(lambda store: store.sadd("r1:{a}:alliances_joined", "b"))
    service.look()

    assert offered(service, "a") == {"of_a"}


def test_a_store_that_lost_everything_takes_no_alliance_away(
    service: Service, alliances: AllianceStore
) -> None:
    alliances.join("a", "union")
    service.look()
    service.stores.durable.ask(lambda store: store.flushall())
    service.look_at_stores()

    assert service.services.loader is not None
    model = service.services.slot.current("a")
    assert model is not None
    assert {item.item_id for item in model.catalog.items} == {"of_a", "of_union"}
