"""The checks of a whole table say what a look at each row would say."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.identifying import identifying
from tests.training.worlds import OPENS_AT, a_transaction
from training.errors import BadInputError
from training.usage import OPTIONAL, Codebooks, Table, polars_schema, scan
from training.usage.numbers import OF_PEOPLE, SCREENED
from training.usage.rules import IN_WORDS, PATTERNS

CARD, MOBILE = "4111111111111111", "13812345678"
SOMEBODY = "hold a card number, resident id or mobile number"
VALUES: Mapping[str, tuple[Any, ...]] = {
    "cardholder_id": ("c1", "c2", "c1", "c 3", MOBILE),
    "merchant_id": ("m1", "m2", MOBILE, CARD),
    "amount_minor": (0, 5, 5, -1, None),
    "currency": ("CNY", "CNY", "GBP", "cny"),
    "occurred_at": (OPENS_AT, OPENS_AT, None),
    "transaction_id": (None, "t1", CARD, "t/1"),
    "mcc": (None, "5812", "58"),
    "status": (None, "settled", "paid"),
    "merchant_name": (None, "Shop", "上海店", f"call {MOBILE}"),
    "city": ("shanghai", None, CARD),
    "channel": ("pos", None, MOBILE),
    "segment": ("senior", "", None),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
    min_size=1,
    max_size=12,
)


def breaks_rule(name: str, value: Any) -> bool:
    if value is None:
        return name not in OPTIONAL
    if name == "amount_minor":
        return bool(value < 0)
    return name in PATTERNS and re.fullmatch(PATTERNS[name][0].strip("^$"), value) is None


def names_somebody(name: str, value: str | None) -> bool:
    return bool(value) and identifying(str(value), mobiles=name in OF_PEOPLE) is not None


def by_hand(table: list[dict[str, Any]]) -> str | None:
    """What is to be said of these rows, but for what to do."""
    ruled = [name for name in polars_schema() if name in IN_WORDS]
    for names, is_wrong in ((ruled, breaks_rule), (SCREENED, names_somebody)):
        for name in names:
            wrong = [n for n, row in enumerate(table, 1) if is_wrong(name, row.get(name))]
            if wrong:
                said = f"are missing or not {IN_WORDS[name]}" if names is ruled else SOMEBODY
                count = f"{len(wrong):,} of {len(table):,} values {said}"
                return f"column {name}: {count}, the first in data row {wrong[0]:,};"
    return None


def a_file(folder: Path, table: list[dict[str, Any]], suffix: str) -> Path:
    """The table as parquet of tiny row groups, or as csv."""
    frame = pl.DataFrame(table, polars_schema())
    path = folder / f"usage.{suffix}"
    if suffix == "parquet":
        frame.write_parquet(path, row_group_size=3)
    else:
        frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.f+00:00")
    return path


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows)
def test_a_table_is_refused_as_a_look_at_each_row_would(
    tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    path, expected = a_file(tmp_path, drawn, "parquet"), by_hand(drawn)
    if expected is None:
        assert scan(path).collect().height == len(drawn)
        return
    with pytest.raises(BadInputError) as told:
        scan(path)

    assert str(told.value).startswith(f"{path}: {expected}")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("wrong", [{"mcc": "58"}, {"city": CARD}, {"currency": "cny"}])
def test_a_wrong_value_of_many_row_groups_is_counted_in_each(
    tmp_path: Path, suffix: str, wrong: dict[str, Any]
) -> None:
    table = [a_transaction("c1", "m1", mcc="5812", city="shanghai") for _ in range(20)]
    for row in (7, 8, 19):
        table[row].update(wrong)
    path = a_file(tmp_path, table, suffix)

    with pytest.raises(BadInputError, match=r"3 of 20 values .*, the first in data row 8;"):
        scan(path)


def test_nothing_is_handed_on_once_something_was_wrong(tmp_path: Path) -> None:
    table = [a_transaction("c1", f"m{n}") for n in range(9)]
    table[4]["merchant_id"] = "m/4"
    path, handed = a_file(tmp_path, table, "parquet"), list[str]()

    def take_all() -> None:
        for coded in Table.open(path).coded(Codebooks(), path):
            handed.extend(coded.batch.columns["merchant_id"].to_pylist())

    with pytest.raises(BadInputError, match="merchant_id: 1 of 9"):
        take_all()
    assert handed == ["m0", "m1", "m2"]


def test_a_value_of_an_earlier_table_was_looked_at_then(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = a_file(tmp_path / "one", [a_transaction("c1", "m1")], "parquet")
    second = a_file(tmp_path / "two", [a_transaction("c1", "m1"), a_transaction("c2", "")], "csv")
    books = Codebooks()

    assert [coded.batch.height for coded in Table.open(first).coded(books, first)] == [1]
    with pytest.raises(BadInputError, match=r"merchant_id: 1 of 2 values .* data row 2"):
        list(Table.open(second).coded(books, second))


def test_a_file_damaged_behind_its_footer_is_named(tmp_path: Path) -> None:
    path = a_file(tmp_path, [a_transaction("c1", "m1") for _ in range(9)], "parquet")
    page = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[page : page + 20] = b"\xff" * 20
    path.write_bytes(content)

    with pytest.raises(BadInputError, match=r"usage.parquet: not a readable parquet file"):
        scan(path)


@pytest.mark.parametrize("name", ["cardholder_id", "merchant_name"])
def test_text_that_is_no_utf_8_is_named_by_its_file(tmp_path: Path, name: str) -> None:
    table = [a_transaction("c1", "m1", merchant_name="Shop") for _ in range(9)]
    path = a_file(tmp_path, table, "parquet")
    whole = pq.read_table(path)
    broken = pa.array([b"ok"] * 8 + [b"\xff\xfe"], pa.binary()).view(pa.string())
    place = whole.schema.get_field_index(name)
    pq.write_table(whole.set_column(place, name, broken), path, row_group_size=3)

    with pytest.raises(BadInputError, match=r"usage.parquet: not a readable parquet file .*UTF8"):
        scan(path)
