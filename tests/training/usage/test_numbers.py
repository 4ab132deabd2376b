"""Numbers that name a person do not get past the trainer's entrances, nor into what it leaves."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from tests.training.mapping.world import a_file, a_mapping, a_row, bring_in
from training.errors import BadInputError
from training.usage import scan
from training.usage.numbers import names_a_person

HEADER = "cardholder_id,merchant_id,amount_minor,currency,occurred_at,merchant_name,city,segment"
CARD, UNIONPAY = "4929123456781236", "6221261234567890"
RESIDENT, PHONE = "11010519491231002X", "13812345678"


def a_table(folder: Path, column: str, value: str, *, parquet: bool) -> Path:
    names = HEADER.split(",")
    good = ["c1", "m1", "100", "GBP", "2024-03-01T10:00:00Z", "Cafe", "London", "s1"]
    bad = [value if name == column else text for name, text in zip(names, good, strict=True)]
    path = folder / "usage.csv"
    path.write_text("\n".join([HEADER, ",".join(good), ",".join(bad)]) + "\n", "utf-8")
    if not parquet:
        return path
    instants = pl.col("occurred_at").str.to_datetime(time_zone="UTC")
    frame = pl.read_csv(path, infer_schema=False)
    typed = frame.with_columns(instants, pl.col("amount_minor").cast(pl.Int64))
    typed.write_parquet(folder / "usage.parquet")
    return folder / "usage.parquet"


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cardholder_id", CARD),
        ("cardholder_id", PHONE),
        ("cardholder_id", RESIDENT),
        ("merchant_id", UNIONPAY),
        ("merchant_name", "Cafe 4929 1234 5678 1236"),
        ("merchant_name", "Cafe ４９２９１２３４５６７８１２３６"),
        ("merchant_name", f"Stall {PHONE}"),
        ("city", RESIDENT),
        ("segment", PHONE),
    ],
)
def test_F46_usage_with_a_persons_number_is_refused_by_its_row_and_never_shown(
    tmp_path: Path, column: str, value: str, *, parquet: bool
) -> None:
    with pytest.raises(BadInputError) as refused:
        scan(a_table(tmp_path, column, value, parquet=parquet))

    told = str(refused.value)
    assert f"column {column}: 1 of 2 values hold a card number" in told
    assert "the first in data row 2" in told
    assert value not in told


def test_ids_of_things_may_look_like_mobile_numbers(tmp_path: Path) -> None:
    assert scan(a_table(tmp_path, "merchant_id", PHONE, parquet=False)).collect().height == 2


@pytest.mark.parametrize("coded", [False, True])
def test_each_row_of_a_coded_column_is_told(coded: bool) -> None:
    plain = pa.array(["a", CARD, None, "b", CARD])
    column = plain.dictionary_encode() if coded else plain

    assert names_a_person("cardholder_id", column).tolist() == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(CARD, "card_number"), (RESIDENT, "personal_number"), (PHONE, "personal_number")],
)
def test_F46_an_import_puts_such_rows_aside_and_shows_the_number_nowhere(
    tmp_path: Path, value: str, reason: str
) -> None:
    bad = f"01/03/2024,{value},ARGOS,5.00"
    named = f"02/03/2024,acc9,Stall {value},6.00"
    a_file(tmp_path, "a.csv", *(a_row(n) for n in range(20)), bad, named)
    report = bring_in(a_mapping(tmp_path, more="[checks]\nmax_rejected_share = 0.5"))
    left = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())

    assert report.rows_rejected == {reason: 2}
    assert report.rows_accepted == 20
    assert value.encode() not in left
