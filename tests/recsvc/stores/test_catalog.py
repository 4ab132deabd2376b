"""The catalogue against a plain model of what it should be."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from embeddings.catalog import ItemKind, parse_item
from recsvc.domain.errors import ConflictError, NotFoundError, RevisionMismatchError
from recsvc.logs import open_log
from recsvc.stores.assembly import Stores
from recsvc.stores.catalog import Written
from recsvc.upkeep.followers import CatalogFollower
from tests.bundles import a_benefit, an_offer

BENEFIT, OFFER = ItemKind.BENEFIT, ItemKind.MERCHANT_OFFER


def offer(item_id: str = "offer_1", **changes: Any) -> Any:
    return parse_item(an_offer(item_id, **changes))


def test_a_write_is_read_back_with_its_revision(stores: Stores) -> None:
    first = stores.catalog.put("demo", offer())
    second = stores.catalog.put("demo", offer(priority=5))
    found = stores.catalog.get("demo", "offer_1", OFFER)

    assert first == (Written.CREATED, 1)
    assert second == (Written.UPDATED, 2)
    assert (found.item, found.revision) == (offer(priority=5), 2)


def test_an_item_made_anew_is_none_that_a_reader_of_the_deleted_one_may_write(
    stores: Stores,
) -> None:
    _, read = stores.catalog.put("demo", offer())
    stores.catalog.delete("demo", "offer_1", OFFER)
    _, anew = stores.catalog.put("demo", offer(priority=5))

    assert anew != read
    with pytest.raises(RevisionMismatchError):
        stores.catalog.delete("demo", "offer_1", OFFER, expected=str(read))
    with pytest.raises(RevisionMismatchError):
        stores.catalog.put("demo", offer(priority=6), expected=str(read))


def test_putting_twice_is_putting_once(stores: Stores) -> None:
    stores.catalog.put("demo", offer())
    again = stores.catalog.put("demo", offer())

    assert again == (Written.UNCHANGED, 1)
    assert stores.catalog.changes_since("demo", 0).version == 1


@pytest.mark.parametrize(
    ("expected", "is_there"), [("2", True), ("1", False), ("-", True), ("*", False)]
)
def test_a_write_that_expects_another_state_changes_nothing(
    stores: Stores, expected: str, is_there: bool
) -> None:
    if is_there:
        stores.catalog.put("demo", offer())
    with pytest.raises(RevisionMismatchError):
        stores.catalog.put("demo", offer(priority=9), expected=expected)

    assert stores.catalog.changes_since("demo", 0).version == int(is_there)


def test_an_id_of_one_kind_is_not_taken_by_the_other(stores: Stores) -> None:
    stores.catalog.put("demo", parse_item(a_benefit("x")))
    with pytest.raises(ConflictError, match="other kind"):
        stores.catalog.put("demo", offer("x"))
    with pytest.raises(NotFoundError):
        stores.catalog.get("demo", "x", OFFER)
    with pytest.raises(NotFoundError):
        stores.catalog.delete("demo", "x", OFFER)

    assert stores.catalog.get("demo", "x", BENEFIT).item.kind == "benefit"


def test_f41_the_same_item_id_of_two_issuers_is_two_items(stores: Stores) -> None:
    stores.catalog.put("demo", offer(priority=1))
    stores.catalog.put("other", offer(priority=2))
    stores.catalog.delete("demo", "offer_1", OFFER)

    assert stores.catalog.get("other", "offer_1", OFFER).item.priority == 2


def test_many_items_take_one_version_each_and_come_back_in_pages(stores: Stores) -> None:
    items = [offer(f"o{number:04}") for number in range(1203)]
    written = stores.catalog.put_many("demo", items)
    first = stores.catalog.changes_since("demo", 0)
    second = stores.catalog.changes_since("demo", first.through)

    assert {word for word, _ in written} == {Written.CREATED}
    assert (len(first.changes), len(second.changes)) == (1000, 203)
    assert second.through == 1203
    assert stores.catalog.changes_since("demo", 1203).changes == ()


def test_a_list_is_paged_in_order_of_ids(stores: Stores) -> None:
    stores.catalog.put_many("demo", [offer(f"o{n}") for n in (3, 1, 2)])
    stores.catalog.put("demo", parse_item(a_benefit("o0")))
    page = stores.catalog.page("demo", OFFER, after="o1", limit=5)

    assert [found.item.item_id for found in page] == ["o2", "o3"]


class CatalogMachine(RuleBasedStateMachine):
    """Writes and deletions in any order; a follower that looks now and then misses nothing."""

    stores: Stores

    @initialize()
    def begin(self) -> None:
        self.stores.durable.ask(lambda store: store.flushall())
        self.expected: dict[str, Any] = {}
        self.follower = CatalogFollower("demo", self.stores.catalog, open_log("error"))
        self.seen: dict[str, Any] = {}

    @rule(item_id=st.sampled_from("abcd"), priority=st.integers(0, 3))
    def put(self, item_id: str, priority: int) -> None:
        item = offer(item_id, priority=priority)
        self.stores.catalog.put("demo", item)
        self.expected[item_id] = item

    @rule(item_id=st.sampled_from("abcd"))
    def delete(self, item_id: str) -> None:
        if item_id in self.expected:
            self.stores.catalog.delete("demo", item_id, OFFER)
            del self.expected[item_id]
        else:
            with pytest.raises(NotFoundError):
                self.stores.catalog.delete("demo", item_id, OFFER)

    @rule()
    def look(self) -> None:
        mark = self.stores.changes.marks(["demo"]).catalogs["demo"]
        snapshot = self.follower.catch_up(mark)
        if snapshot is not None:
            self.seen = {item.item_id: item for item in snapshot.catalog.items}

        assert self.seen == self.expected

    @invariant()
    def the_list_is_the_catalogue(self) -> None:
        page = self.stores.catalog.page("demo", OFFER, after=None, limit=200)

        assert {found.item.item_id: found.item for found in page} == self.expected


def test_whatever_is_written_a_follower_sees_exactly_what_is_there(stores: Stores) -> None:
    CatalogMachine.stores = stores
    CatalogMachine.TestCase.settings = settings(
        max_examples=25, stateful_step_count=20, deadline=None
    )
    CatalogMachine.TestCase("runTest").runTest()
