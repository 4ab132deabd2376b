"""A stream is read whole, in order, whatever the size of its pieces."""

import pytest

from recsvc.stores.assembly import Stores
from recsvc.stores.connection.streams import documents_of, entries_of


@pytest.fixture
def name(stores: Stores) -> str:
    """A stream of seven entries; the third is no JSON, the fourth no object, the fifth is bare."""
    values = [b'{"n":1}', b'{"n":2}', b"{", b"[4]", None, b'{"n":6}', b'{"n":7}']
    for number, value in enumerate(values, start=1):
        fields = {"other": b"x"} if value is None else {"told": value}
        stores.durable.ask(lambda store, n=number, f=fields: store.xadd("s", f, id=f"{n}-0"))  # type: ignore[misc]
    return "s"


@pytest.mark.parametrize("at_a_time", [1, 2, 6, 7, 8, 1_000])
@pytest.mark.parametrize("first", [1, 3, 7, 8])
def test_all_entries_from_one_on_come_once_and_in_order(
    stores: Stores, name: str, at_a_time: int, first: int
) -> None:
    found = stores.durable.ask(
        lambda store: list(entries_of(store, name, first=f"{first}-0", at_a_time=at_a_time))
    )

    assert [position for position, _ in found] == [b"%d-0" % n for n in range(first, 8)]


def test_what_is_no_object_is_an_empty_one_in_its_place(stores: Stores, name: str) -> None:
    found = stores.durable.ask(lambda store: list(documents_of(store, name, b"told")))

    assert [document.get("n") for _, document in found] == [1, 2, None, None, None, 6, 7]


def test_a_stream_that_is_not_there_has_no_entries(stores: Stores) -> None:
    assert stores.durable.ask(lambda store: list(entries_of(store, "nowhere"))) == []
