"""Ids outside, rows inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.vocabulary import MANY, ColumnKind, Vocabulary, column_id, split_column_id

ids = st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), max_size=60)


@given(ids, st.binary(min_size=1, max_size=64))
def test_a_vocabulary_round_trips(known: set[str], key: bytes) -> None:
    vocabulary = Vocabulary.build(known, key)

    assert len(vocabulary) == len(known)
    assert {vocabulary.id(row) for row in range(len(vocabulary))} == known
    assert all(vocabulary.id(vocabulary.row(i) or 0) == i for i in known)
    assert (np.diff(vocabulary.hashes.astype(object)) >= 0).all()


@given(ids, st.text(st.characters(codec="utf-8"), max_size=12))
def test_an_unknown_id_has_no_row(known: set[str], other: str) -> None:
    vocabulary = Vocabulary.build(known - {other}, b"k")

    assert vocabulary.row(other) is None
    assert other not in vocabulary


def test_two_ids_of_one_hash_keep_their_own_rows() -> None:
    honest = Vocabulary.build(["a", "b"], b"k")
    wanted = honest.hashes[honest.row("b") or 0]
    crowded = Vocabulary(
        np.array([wanted, wanted], np.uint64),
        np.array([0, 1, 2], np.int64),
        np.frombuffer(b"ab", np.uint8),
        b"k",
    )

    assert crowded.row("b") == 1


def test_many_ids_are_looked_up_at_once() -> None:
    vocabulary = Vocabulary.build(["x", "y"], b"k")

    rows, known = vocabulary.rows(["y", "nobody", "x"])

    assert known.tolist() == [True, False, True]
    assert vocabulary.ids(rows[known]) == ["y", "x"]


def test_a_row_outside_is_refused() -> None:
    with pytest.raises(IndexError, match="row 1"):
        Vocabulary.build(["x"], b"k").id(1)
    with pytest.raises(IndexError, match="row -1"):
        Vocabulary.build(["x"], b"k").id(-1)


def test_a_column_says_what_it_stands_for() -> None:
    assert column_id(ColumnKind.MERCHANT, "m:1") == "merchant:m:1"
    assert split_column_id("merchant:m:1") == (ColumnKind.MERCHANT, "m:1")
    with pytest.raises(ValueError, match="nothing"):
        split_column_id("nothing")


@given(st.sets(st.text(max_size=8), max_size=20), st.integers(0, 2**20))
def test_a_part_of_a_vocabulary_is_the_vocabulary_of_that_part(ids: set[str], mask: int) -> None:
    whole = Vocabulary.build(ids, b"k")
    kept = np.array([bool(mask >> row & 1) for row in range(len(whole))], np.bool_)

    part = whole.only(kept)

    assert list(part) == whole.ids(np.flatnonzero(kept))
    assert all(part.row(i) == row for row, i in enumerate(part))


def test_ids_of_very_many_rows_are_those_of_each_row() -> None:
    vocabulary = Vocabulary.build((f"c\u00e9_{i}" for i in range(MANY + 500)), b"k")
    rows = np.random.default_rng(2).permutation(np.arange(200, MANY + 300))

    assert vocabulary.ids(rows) == [vocabulary.id(int(row)) for row in rows]
    for wrong in (-1, len(vocabulary)):
        with pytest.raises(IndexError):
            vocabulary.ids(np.append(rows, wrong))
