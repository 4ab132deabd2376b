"""Profiles as the trainer reads them: what is kept of each line, and which line is refused."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from training.errors import BadInputError
from training.matrix import profiles
from training.matrix.profiles import read_profiles


def a_profile(cardholder: Any, *products: Any, **fields: Any) -> dict[str, Any]:
    cards = [{"card_product_id": one, "tier": "gold"} for one in products]
    return {"cardholder_id": cardholder, "card_products": cards, **fields}


def a_file(folder: Path, *documents: dict[str, Any]) -> Path:
    path = folder / "cardholders.ndjson"
    path.write_bytes(b"\n".join(orjson.dumps(one) for one in documents))
    return path


def test_products_and_city_of_each_line_are_kept_and_nothing_else(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        a_profile("c1", "gold", "world", city="上海", segments=["senior"]),
        {"cardholder_id": "c2"},
        a_profile("c3", city=None),
    )
    path.write_bytes(path.read_bytes() + b"\n\n")
    found = read_profiles(path)

    assert dict(found.schema) == profiles.SCHEMA
    assert found.rows() == [("c1", ["gold", "world"], "上海"), ("c2", [], None), ("c3", [], None)]


def test_many_profiles_are_read_in_their_order(tmp_path: Path) -> None:
    n = 2 * profiles.AT_ONCE + 1
    path = a_file(tmp_path, *(a_profile(f"c{i}", *["gold"] * (i % 3)) for i in range(n)))
    found = read_profiles(path)

    assert found["cardholder_id"].to_list() == [f"c{i}" for i in range(n)]
    assert found["products"].list.len().to_list() == [i % 3 for i in range(n)]


def test_a_file_of_nothing_is_no_profiles(tmp_path: Path) -> None:
    (path := tmp_path / "cardholders.ndjson").touch()

    assert read_profiles(path).equals(pl.DataFrame(schema=profiles.SCHEMA))


def test_a_profile_without_its_cardholder_is_told_what_is_missing(tmp_path: Path) -> None:
    path = a_file(tmp_path, {"card_products": []})

    with pytest.raises(BadInputError, match=r"line 1: no profile: cardholder_id is missing$"):
        read_profiles(path)


@pytest.mark.parametrize(
    "wrong",
    [
        a_profile(7),
        a_profile("c2", 7),
        a_profile("c2", city=["上海"]),
        {"card_products": []},
        {"cardholder_id": "c2", "card_products": [{}]},
        {"cardholder_id": "c2", "card_products": 7},
    ],
)
def test_what_is_no_profile_is_named_by_its_line(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = a_file(tmp_path, a_profile("c0"), a_profile("c1", "gold", "world"), wrong)

    with pytest.raises(BadInputError, match=r"cardholders.ndjson: line 3: no profile: "):
        read_profiles(path)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (a_profile("4111111111111111"), "cardholder_id"),
        (a_profile("13812345678"), "cardholder_id"),
        (a_profile("c2", "gold", "4111111111111111"), "card_products"),
        (a_profile("c2", "gold", city="call 13812345678"), "city"),
    ],
)
def test_a_persons_number_is_named_by_its_line_and_field_and_never_shown(
    tmp_path: Path, wrong: dict[str, Any], field: str
) -> None:
    path = a_file(tmp_path, a_profile("c0", "a", "b"), a_profile("c1"), wrong, a_profile("c3", "a"))

    with pytest.raises(BadInputError, match=f"line 3: {field}: holds what must not come") as told:
        read_profiles(path)
    assert "1111" not in str(told.value)
    assert "1381" not in str(told.value)


def test_two_profiles_of_one_cardholder_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_profile("c1"), a_profile("c1", "gold"))

    with pytest.raises(BadInputError, match="a cardholder has two profiles"):
        read_profiles(path)
