"""The list of deleted interests is read as it was written, or refused by its name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from embeddings.deleted_interests import (
    FILE_NAME,
    DeletedInterests,
    DeletedInterestsError,
    last_day,
)
from embeddings.erasure import erased_hash

KEY = b"k" * 16
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
AT = int(NOON.timestamp() * 1_000_000)
ONE = erased_hash(KEY, "ch_1")


def a_list(**changes: Any) -> DeletedInterests:
    given = {"deletions": {ONE: {"merchant:m_1": AT, "category:5812": AT + 1}}, "through": NOON}
    return DeletedInterests("demo", KEY, 7, **{**given, **changes})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


@pytest.mark.parametrize("through", [None, NOON])
def test_what_is_written_is_read_again(path: Path, through: datetime | None) -> None:
    a_list(through=through).write(path)

    assert DeletedInterests.read(path) == a_list(through=through)


def test_a_cardholder_is_found_by_his_place_and_nobody_is_named(path: Path) -> None:
    a_list().write(path)

    found = list(DeletedInterests.read(path).places_in(["ch_0", "ch_1", "ch_2"]))
    assert found == [(1, {"merchant:m_1": AT, "category:5812": AT + 1})]
    assert b"ch_1" not in path.read_bytes()


def test_the_last_day_that_does_not_count_is_the_utc_day_of_the_deletion() -> None:
    midnight = AT - 12 * 3600 * 1_000_000

    assert last_day(midnight) == last_day(AT) == last_day(midnight - 1) + 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"format": 2}, "format 2, expected 1"),
        ({"revision": "7"}, "revision"),
        ({"key": "zz"}, "hexadecimal"),
        ({"key": ""}, "key has 0 bytes"),
        ({"key": "00" * 65}, "key has 65 bytes"),
        ({"through": "2026-03-04T12:00:00"}, "no zone"),
        ({"through": "yesterday"}, "yesterday"),
        ({"deletions": [ONE]}, "no attribute"),
        ({"deletions": {"ch_1": {}}}, "'ch_1' is no hash"),
        ({"deletions": {ONE: ["merchant:m_1"]}}, "no attribute"),
        ({"deletions": {ONE: {"street:m_1": AT}}}, "street"),
        ({"deletions": {ONE: {"merchant:m_1": "today"}}}, "no microseconds"),
        ({"deletions": {ONE: {"merchant:m_1": True}}}, "no microseconds"),
        ({"deletions": {ONE: {"merchant:m_1": -1}}}, "no microseconds"),
    ],
)
def test_a_forged_list_is_refused_with_its_name_and_its_fault(
    path: Path, changes: dict[str, Any], fault: str
) -> None:
    a_list().write(path)
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **changes}))

    with pytest.raises(DeletedInterestsError, match=fault) as refused:
        DeletedInterests.read(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_torn_list_is_refused_wherever_it_ends(path: Path) -> None:
    a_list().write(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(DeletedInterestsError, match=FILE_NAME):
            DeletedInterests.read(path)


def test_what_is_no_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DeletedInterestsError, match="cannot be read"):
        DeletedInterests.read(tmp_path)
