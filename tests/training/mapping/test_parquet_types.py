"""Parquet of any writer: what its types mean, and what no column can be made of."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.mapping.world import a_mapping, bring_in
from training.errors import BadInputError
from training.mapping import ImportReport

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
COLUMNS = {
    "Account": pa.array(["a", "b"]),
    "Shop": pa.array(["ARGOS", "TESCO"]),
    "Amount": pa.array([1.5, 2.25]),
    "Date": pa.array([NOON, NOON], pa.timestamp("us", "UTC")),
}


def bring_in_parquet(folder: Path, **columns: pa.Array) -> tuple[ImportReport, pl.DataFrame]:
    pq.write_table(pa.table(COLUMNS | columns), folder / "a.parquet")
    mapping = a_mapping(folder, more="[checks]\nmax_rejected_share = 0.5")
    mapping.write_text(mapping.read_text().replace("csv", "parquet"))
    return bring_in(mapping), pl.read_parquet(folder / "out" / "usage.parquet")


@pytest.mark.parametrize(
    "amount",
    [
        pa.array([Decimal("1.50"), Decimal("2.25")], pa.decimal128(38, 2)),
        pa.array([Decimal("1.5000"), Decimal("2.2500")], pa.decimal256(76, 4)),
        pa.array([1.5, 2.25], pa.float32()),
        pa.array(["1.50", "2.25"], pa.large_string()).dictionary_encode(),
        pa.array([b"1.50", b"2.25"]),
    ],
    ids=lambda amount: str(amount.type),
)
def test_amounts_of_any_type_are_the_same_money(tmp_path: Path, amount: pa.Array) -> None:
    _, usage = bring_in_parquet(tmp_path, Amount=amount)

    assert usage["amount_minor"].to_list() == [150, 225]


@pytest.mark.parametrize("zone", ["UTC", "+05:30", "-08:00", "America/New_York"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_an_instant_is_the_same_in_any_zone_and_unit(tmp_path: Path, zone: str, unit: str) -> None:
    _, usage = bring_in_parquet(tmp_path, Date=pa.array([NOON, NOON], pa.timestamp(unit, zone)))

    assert usage["occurred_at"].to_list() == [NOON, NOON]


def test_bytes_are_text_and_those_that_are_none_put_their_row_aside(tmp_path: Path) -> None:
    report, usage = bring_in_parquet(tmp_path, Shop=pa.array(["CAFÉ".encode(), b"\xff\xfe"]))

    assert usage["merchant_name"].to_list() == ["CAFÉ"]
    assert report.rows_rejected == {"undecodable_text": 1}


@pytest.mark.parametrize(
    "shop",
    [
        pa.array([["A"], ["B"]]),
        pa.array([{"name": "A"}, {"name": "B"}]),
        pa.array([[("k", "v")], []], pa.map_(pa.string(), pa.string())),
        pa.array([1, 2], pa.time32("s")),
        pa.array([1, 2], pa.duration("s")),
    ],
    ids=lambda shop: str(shop.type),
)
def test_a_type_that_is_no_single_value_is_named_with_its_column(
    tmp_path: Path, shop: pa.Array
) -> None:
    with pytest.raises(BadInputError, match=r'a\.parquet: column "Shop" is of type .*write it as'):
        bring_in_parquet(tmp_path, Shop=shop)


def test_a_decimal_beyond_38_digits_is_refused_by_name(tmp_path: Path) -> None:
    amount = pa.array([Decimal(1), Decimal(10) ** 60], pa.decimal256(76, 2))

    with pytest.raises(BadInputError, match=r'column "Amount" is of type decimal256'):
        bring_in_parquet(tmp_path, Amount=amount)
