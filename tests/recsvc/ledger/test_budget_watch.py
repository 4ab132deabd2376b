"""Items whose budget is used up, or used too fast, rest; a new bundle is never undone by that."""

from datetime import UTC
from typing import Any

import pytest

from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.ledger.budget_watch import BudgetWatch
from recsvc.ledger.changed_limits import A_TURN
from recsvc.stores.assembly import Stores
from recsvc.stores.events.budget_sums import BudgetSums
from recsvc.stores.keys.catalog import BUDGET, BUDGETS_SPENT
from tests.bundles import a_catalog, an_offer
from tests.service import Clock

WINDOW = {"starts_at": "2026-01-31T00:00:00Z", "ends_at": "2026-02-10T00:00:00Z"}


def an_item(item_id: str, **changes: Any) -> dict[str, Any]:
    return an_offer(item_id, **{"terms": WINDOW, "budget": {"total": {"count": 1000}}, **changes})


def a_model(*documents: dict[str, Any], version: str = "1") -> ServingModel:
    return ServingModel.build("demo", None, a_catalog(*documents), version)


class Watched:
    """A slot with a model, and the watch over its budgets."""

    def __init__(self, stores: Stores, model: ServingModel) -> None:
        self.stores = stores
        self.clock = Clock()
        self.slot = ModelSlot()
        self.slot.swap(model)
        sums = BudgetSums(stores.durable)
        self.watch = BudgetWatch(stores.ledger, sums, self.slot, self.clock, UTC)

    def use(self, item_id: str, count: int) -> None:
        name = BUDGET.key("demo", item_id)
        self.stores.durable.ask(lambda store: store.hset(name, "count", count))

    def resting(self, looks: int = 1) -> frozenset[str]:
        for _ in range(looks):
            self.watch.follow()
        model = self.slot.current("demo")
        assert model is not None
        return model.tables.exhausted


def test_an_item_ahead_of_its_pace_rests_until_time_catches_up(stores: Stores) -> None:
    watched = Watched(stores, a_model(an_item("fast"), an_item("slow")))
    watched.use("fast", 300)
    watched.use("slow", 90)

    assert watched.resting() == {"fast"}
    watched.clock.pass_time(days=3)
    assert watched.resting() == frozenset()


def test_an_item_without_a_window_is_not_asked_for_for_long(stores: Stores) -> None:
    watched = Watched(stores, a_model(an_item("open", terms={})))
    watched.use("open", 999)
    watched.resting()
    watched.clock.pass_time(seconds=6)
    watched.resting()
    calls = stores.durable.ask(lambda store: store.info("commandstats")).get("cmdstat_hmget", {})
    assert watched.resting() == frozenset()

    after = stores.durable.ask(lambda store: store.info("commandstats")).get("cmdstat_hmget", {})
    assert after == calls


def test_of_very_many_items_each_has_its_turn(stores: Stores) -> None:
    watched = Watched(stores, a_model(*(an_item(f"o{n:04d}") for n in range(A_TURN + 1))))
    last = f"o{A_TURN:04d}"
    watched.use(last, 900)
    watched.use("o0000", 900)

    assert watched.resting() == {"o0000"}
    assert watched.resting() == {"o0000", last}
    watched.use("o0000", 0)
    assert watched.resting() == {last}


def limited(count: int, version: str) -> ServingModel:
    return a_model(an_item("open", terms={}, budget={"total": {"count": count}}), version=version)


def test_a_limit_that_was_lowered_shuts_an_item_and_raised_again_opens_it(stores: Stores) -> None:
    watched = Watched(stores, limited(10, "1"))
    watched.use("open", 5)
    assert watched.resting() == frozenset()

    watched.slot.swap(limited(5, "2"))
    assert watched.resting() == {"open"}
    watched.clock.pass_time(minutes=5)
    assert watched.resting() == {"open"}
    watched.slot.swap(limited(6, "3"))
    assert watched.resting() == frozenset()


def test_an_item_that_lost_its_budget_is_never_used_up(stores: Stores) -> None:
    watched = Watched(stores, limited(5, "1"))
    name = BUDGETS_SPENT.key("demo")
    stores.durable.ask(lambda store: store.zadd(name, {"open": "inf"}))
    watched.use("open", 5)
    assert watched.resting() == {"open"}

    watched.slot.swap(a_model(an_item("open", terms={}, budget=None), version="2"))
    assert watched.resting() == frozenset()


def test_of_very_many_new_limits_each_has_its_turn(stores: Stores) -> None:
    watched = Watched(stores, a_model(*(an_item(f"o{n:04d}", terms={}) for n in range(A_TURN + 1))))
    watched.use(f"o{A_TURN:04d}", 1000)

    assert watched.resting() == frozenset()
    assert watched.resting() == {f"o{A_TURN:04d}"}


@pytest.mark.parametrize("looks", [1, 2])
def test_a_budget_that_is_found_ahead_does_not_bring_an_old_model_back(
    stores: Stores, looks: int
) -> None:
    old, new = a_model(an_item("fast")), a_model(an_item("fast"), version="2")
    watched = Watched(stores, old)
    watched.use("fast", 900)
    refined = old.with_exhausted({"fast"})
    watched.slot.swap(new)

    assert watched.slot.refine(old, refined) is False
    assert watched.slot.current("demo") is new
    assert watched.resting(looks) == {"fast"}
    current = watched.slot.current("demo")
    assert current is not None
    assert current.catalog_version == "2"
