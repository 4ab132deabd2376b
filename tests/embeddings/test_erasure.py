"""The list of erased cardholders is read as it was written, or refused by its name."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.erasure import (
    FILE_NAME,
    ErasedList,
    ErasedListError,
    erased_hash,
    erased_hashes,
)

KEY = b"k" * 16
ONE, TWO = (erased_hash(KEY, one) for one in ("ch_1", "ch_2"))
ERASED = ErasedList("demo", KEY, frozenset({ONE, TWO}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ERASED.write(tmp_path / FILE_NAME)
    return tmp_path / FILE_NAME


def forged(path: Path, **changes: Any) -> None:
    """Change fields of the list in a file; a field of None is taken out."""
    document = {**orjson.loads(path.read_bytes()), **changes}
    kept = {name: value for name, value in document.items() if value is not None}
    path.write_bytes(orjson.dumps(kept))


def test_what_is_written_is_read_again_and_nobody_is_named(path: Path) -> None:
    assert ErasedList.read(path) == ERASED
    assert b"ch_1" not in path.read_bytes()


def test_a_list_of_nobody_is_a_list(path: Path) -> None:
    forged(path, hashes=[])

    assert ErasedList.read(path).erased_of(["ch_1"]) == frozenset()


def test_one_list_is_written_in_one_way(path: Path, tmp_path: Path) -> None:
    ErasedList("demo", KEY, frozenset({TWO, ONE})).write(tmp_path / "again.json")

    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@given(st.binary(min_size=1, max_size=64), st.lists(st.text(max_size=140)))
def test_the_hashes_of_many_are_those_of_each_and_of_one_length(key: bytes, ids: list[str]) -> None:
    hashes = erased_hashes(key, ids)

    assert hashes == [erased_hash(key, one) for one in ids]
    assert all(len(one) == 32 for one in hashes)


def test_who_is_on_it_is_found_under_its_key_alone() -> None:
    other = ErasedList("demo", b"another key", ERASED.hashes)

    assert ERASED.erased_of(["ch_0", "ch_1", "ch_2"]) == {"ch_1", "ch_2"}
    assert other.erased_of(["ch_0", "ch_1", "ch_2"]) == frozenset()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"format": 2}, "format 2, expected 1"),
        ({"format": None}, "has no field 'format'"),
        ({"hashes": None}, "has no field 'hashes'"),
        ({"issuer_id": 7}, "issuer_id is no text"),
        ({"key": "zz"}, "hexadecimal"),
        ({"key": ""}, "key has 0 bytes"),
        ({"key": "00" * 65}, "key has 65 bytes"),
        ({"hashes": ONE}, "hashes are no list"),
        ({"hashes": {ONE: "2026-03-04"}}, "hashes are no list"),
        ({"hashes": ["ch_1"]}, "'ch_1' is no hash"),
        ({"hashes": [ONE.upper() + "\n"]}, "is no hash"),
        ({"hashes": [[ONE]]}, "is no hash"),
    ],
)
def test_a_forged_list_is_refused_with_its_name_its_fault_and_what_to_do(
    path: Path, changes: dict[str, Any], fault: str
) -> None:
    forged(path, **changes)

    with pytest.raises(ErasedListError, match=fault) as refused:
        ErasedList.read(path)
    assert str(refused.value).startswith(f"{path}: is no list of erased cardholders (")
    assert str(refused.value).endswith("write it with: recsvc erasure list")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"format": 1, "hashes": [], "hashes": ["x"]}', "a field comes twice"),
        (b"\xef\xbb\xbf{}", "Expecting value"),
        (b'{"format": NaN}', "NaN"),
        (b"[]", "list indices"),
    ],
)
def test_a_text_that_can_be_read_in_two_ways_is_refused(
    path: Path, text: bytes, fault: str
) -> None:
    path.write_bytes(text)

    with pytest.raises(ErasedListError, match=fault):
        ErasedList.read(path)


def test_a_torn_list_is_refused_wherever_it_ends(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ErasedListError, match=FILE_NAME):
            ErasedList.read(path)


def test_what_is_no_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ErasedListError, match="cannot be read"):
        ErasedList.read(tmp_path)
