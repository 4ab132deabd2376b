"""Texts as codes: what a dict would say, met batch by batch."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.usage import Batch, Codebooks
from training.usage.codebook import CODED, Codebook

words = st.sampled_from(["a", "b", "", "上海", "a ", "A"])
texts = st.one_of(st.none(), words, st.text(max_size=3))
batches = st.lists(st.lists(texts, max_size=12), max_size=6)


def a_batch(values: list[str | None], *, coded: bool = False) -> Batch:
    column = pa.array(values, pa.large_string())
    return Batch(len(values), {"city": column.dictionary_encode() if coded else column})


@settings(deadline=None)
@given(batches, st.booleans())
def test_codes_count_up_in_the_order_texts_are_met(
    drawn: list[list[str | None]], coded: bool
) -> None:
    book, by_hand = Codebook(), dict[str, int]()
    for values in drawn:
        codes, fresh = book.codes(a_batch(values, coded=coded).text("city"))
        met_before = set(by_hand)
        expected = [-1 if v is None else by_hand.setdefault(v, len(by_hand)) for v in values]

        assert codes.tolist() == expected
        assert set(fresh.to_pylist()) == set(by_hand) - met_before

    assert book.texts().to_pylist() == [*by_hand]
    assert len(book) == len(by_hand)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-1, 7), max_size=8), min_size=1, max_size=8), st.data())
def test_batches_of_one_row_group_share_a_dictionary_that_grows(
    drawn: list[list[int]], data: st.DataObject
) -> None:
    books, by_hand = Codebook(), dict[str, int]()
    values = [f"text {n}" for n in range(8)]
    for rows in drawn:
        if data.draw(st.booleans(), "another row group"):
            values = data.draw(st.permutations(values), "its dictionary")
        known = pa.array(values[: max(rows, default=-1) + 1], pa.string())
        indices = pa.array([None if row < 0 else row for row in rows], pa.int32())
        column = pa.DictionaryArray.from_arrays(indices, known)
        codes, fresh = books.codes(Batch(len(rows), {"city": column}).text("city"))
        met = [values[row] for row in sorted({*rows} - {-1})]
        new = [text for text in met if text not in by_hand]
        by_hand.update({text: len(by_hand) + n for n, text in enumerate(new)})

        assert codes.tolist() == [-1 if row < 0 else by_hand[values[row]] for row in rows]
        assert fresh.to_pylist() == new
    assert books.texts().to_pylist() == [*by_hand]


def test_what_a_dictionary_holds_and_no_row_has_gets_no_code() -> None:
    indices = pa.array([2, None, 2], pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["unused", "too", "used"]))
    book = Codebook()
    codes, fresh = book.codes(Batch(3, {"city": column}).text("city"))

    assert codes.tolist() == [0, -1, 0]
    assert fresh.to_pylist() == book.texts().to_pylist() == ["used"]


def test_two_books_know_nothing_of_each_other() -> None:
    one, other = Codebook(), Codebook()
    one.codes(a_batch(["a", "b"]).text("city"))
    codes, _ = other.codes(a_batch(["b"]).text("city"))

    assert codes.tolist() == [0]
    assert one.texts().to_pylist() == ["a", "b"]


def test_a_column_that_the_table_lacks_has_no_codes() -> None:
    coded = Codebooks().code(a_batch(["a", "b"]))

    assert coded.column("segment").tolist() == [-1, -1]
    assert coded.column("city").tolist() == [0, 1]
    assert set(coded.fresh) == {"city"}


@pytest.mark.parametrize("name", ["transaction_id", "currency", "status", "channel"])
def test_texts_that_no_model_needs_are_not_remembered(name: str) -> None:
    assert name not in CODED
