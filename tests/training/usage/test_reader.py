from pathlib import Path

import polars as pl
import pytest

from training.errors import BadInputError
from training.usage import OPTIONAL, REQUIRED, polars_schema, scan

HEADER = "cardholder_id,merchant_id,amount_minor,currency,occurred_at"
ROW = "c1,m1,100,GBP,2024-03-01T10:00:00Z"


def a_csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "usage.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_csv_and_a_parquet_of_the_same_rows_scan_alike(tmp_path: Path) -> None:
    path = a_csv(tmp_path, ROW, "c2,m2,5,JPY,2024-03-01T10:00:00.25+08:00")
    from_csv = scan(path).collect()
    from_csv.write_parquet(tmp_path / "usage.parquet")

    assert scan(tmp_path / "usage.parquet").collect().equals(from_csv)
    assert dict(from_csv.schema) == polars_schema()
    assert from_csv["occurred_at"].dt.hour().to_list() == [10, 2]


def test_a_table_with_only_the_required_columns_gains_the_others_as_nulls(tmp_path: Path) -> None:
    frame = scan(a_csv(tmp_path, ROW)).select(list(REQUIRED)).collect()
    frame.write_parquet(tmp_path / "usage.parquet")
    found = scan(tmp_path / "usage.parquet").collect()

    assert found.select(list(OPTIONAL)).null_count().row(0) == (1,) * len(OPTIONAL)


def test_a_folder_of_files_is_one_table(tmp_path: Path) -> None:
    a_csv(tmp_path, ROW)
    (tmp_path / "more.csv").write_text(f"{HEADER},mcc\n{ROW},5812\n")

    assert sorted(scan(tmp_path).collect()["mcc"].to_list(), key=str) == ["5812", None]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("c 1,m1,100,GBP,2024-03-01T10:00:00Z", "cardholder_id"),
        (",m1,100,GBP,2024-03-01T10:00:00Z", "cardholder_id"),
        ("c1,m/1,100,GBP,2024-03-01T10:00:00Z", "merchant_id"),
        ("c1,m1,-100,GBP,2024-03-01T10:00:00Z", "amount_minor"),
        ("c1,m1,1.5,GBP,2024-03-01T10:00:00Z", "amount_minor"),
        ("c1,m1,100,gbp,2024-03-01T10:00:00Z", "currency"),
        ("c1,m1,100,GBP,2024-03-01T10:00:00", "occurred_at"),
        ("c1,m1,100,GBP,yesterday", "occurred_at"),
    ],
)
def test_a_bad_value_is_refused_with_its_column_and_row_but_not_itself(
    tmp_path: Path, row: str, column: str
) -> None:
    path = a_csv(tmp_path, ROW, row)

    with pytest.raises(BadInputError, match=rf"column {column}: 1 of 2 .* data row 2") as error:
        scan(path)
    assert "yesterday" not in str(error.value)


@pytest.mark.parametrize(("mcc", "status"), [("58", "settled"), ("5812", "paid")])
def test_a_bad_optional_value_is_refused(tmp_path: Path, mcc: str, status: str) -> None:
    path = a_csv(tmp_path, f"{ROW},{mcc},{status}", header=f"{HEADER},mcc,status")

    with pytest.raises(BadInputError, match=r"column (mcc|status): 1 of 1"):
        scan(path)


@pytest.mark.parametrize("name", list(REQUIRED))
def test_a_missing_required_column_is_named(tmp_path: Path, name: str) -> None:
    path = a_csv(tmp_path, ROW, header=HEADER.replace(name, "other"))

    with pytest.raises(BadInputError, match=f"column {name} is missing"):
        scan(path)


def test_a_parquet_column_of_another_type_is_named(tmp_path: Path) -> None:
    frame = scan(a_csv(tmp_path, ROW)).collect()
    frame.with_columns(pl.col("amount_minor").cast(pl.Float64)).write_parquet(
        tmp_path / "a.parquet"
    )
    frame.with_columns(pl.col("occurred_at").dt.replace_time_zone(None)).write_parquet(
        tmp_path / "b.parquet"
    )

    with pytest.raises(BadInputError, match="amount_minor is Float64, expected Int64"):
        scan(tmp_path / "a.parquet")
    with pytest.raises(BadInputError, match="occurred_at has no time zone"):
        scan(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("usage.csv", b"", "empty"),
        ("usage.csv", HEADER.encode() + b"\n", "no rows"),
        ("usage.parquet", b"PAR1 not really", "not a readable parquet file"),
        ("usage.parquet", b"", "not a readable parquet file"),
        ("usage.xlsx", b"PK", r"found \.xlsx, expected card usage"),
    ],
)
def test_an_unreadable_file_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BadInputError, match=message):
        scan(tmp_path / name)


def test_a_missing_path_and_an_empty_folder_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file"):
        scan(tmp_path / "nothing.parquet")
    with pytest.raises(BadInputError, match="found no file"):
        scan(tmp_path)


def test_a_wrong_value_far_down_a_long_table_is_found_at_its_row(tmp_path: Path) -> None:
    good = scan(a_csv(tmp_path, ROW)).collect()
    long = pl.concat([good] * 300_000)
    wrong = good.with_columns(currency=pl.lit("gbp"))
    pl.concat([long, wrong, good, wrong]).write_parquet(tmp_path / "usage.parquet")

    with pytest.raises(BadInputError, match=r"2 of 300,003 .* first in data row 300,001"):
        scan(tmp_path / "usage.parquet")
