"""A side or an id that changed with the code would reach a held-out cardholder, or one twice."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.campaign.hashing import digests
from recsvc.domain.campaign.holdout import Holdout
from recsvc.domain.campaign.ids import lettered, lettered_each
from recsvc.stores.outreach.rosters import PART_SIZE, Row, part_of, parts_of

texts = st.lists(st.text(max_size=20), max_size=8)


@given(texts, st.text(max_size=20), st.binary(min_size=1, max_size=64))
def test_many_hashes_are_those_of_each_whole_text(
    endings: list[str], beginning: str, key: bytes
) -> None:
    begun = hashlib.blake2b(beginning.encode(), digest_size=8, key=key)

    whole = [
        hashlib.blake2b(f"{beginning}{ending}".encode(), digest_size=8, key=key).digest()
        for ending in endings
    ]
    assert digests(endings, begun) == b"".join(whole)


@given(st.text(min_size=1, max_size=20), st.integers(0, 5_000))
def test_the_side_of_a_cardholder_is_the_formula_that_is_written_down(
    who: str, share_bps: int
) -> None:
    digest = hashlib.blake2b(f"c_1\n{who}".encode(), digest_size=8, key=b"k").digest()

    held = int.from_bytes(digest, "big") < share_bps * 2**64 // 10_000
    assert Holdout(b"k", "c_1", share_bps).holds(who) is held


@given(st.lists(st.binary(min_size=4, max_size=4), max_size=9))
def test_many_ids_are_lettered_as_one_by_one(parts: list[bytes]) -> None:
    assert lettered_each(b"".join(parts), 4) == [lettered(part) for part in parts]


def a_row(number: int) -> Row:
    return (f"ch_{number}", "o", True, "", 0.0)


def test_a_roster_falls_into_parts_in_which_each_is_found_without_a_search() -> None:
    rows = [a_row(number) for number in range(3 * PART_SIZE + 1)]

    parts = parts_of(rows)

    assert len(parts) == 4
    assert sorted(row for part in parts for row in part) == sorted(rows)
    for number, part in enumerate(parts):
        assert [part_of(row[0], len(parts)) for row in part] == [number] * len(part)
        assert list(part) == [row for row in rows if row in set(part)]


def test_a_roster_of_nobody_has_one_empty_part() -> None:
    assert [list(part) for part in parts_of([])] == [[]]
