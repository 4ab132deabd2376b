"""Read back by the two readers that the data team uses."""

import io
import itertools
from collections.abc import Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.api.exports import thrift
from recsvc.api.exports.parquet import ROWS_AT_ONCE, parquet_parts

texts = st.text(st.characters(codec="utf-8"), max_size=30)


def written(fields: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> bytes:
    return b"".join(parquet_parts(fields, rows))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20).flatmap(lambda n: st.lists(st.tuples(*[texts] * n), max_size=30)))
def test_every_text_comes_back_to_either_reader(rows: list[tuple[str, ...]]) -> None:
    fields = tuple(f"c_{number}" for number in range(len(rows[0]) if rows else 3))
    file = written(fields, rows)

    arrow, other = pq.read_table(io.BytesIO(file)), pl.read_parquet(io.BytesIO(file))

    assert [tuple(row.values()) for row in arrow.to_pylist()] == rows
    assert other.rows() == rows
    assert tuple(arrow.column_names) == tuple(other.columns) == fields


def test_a_column_is_required_text_and_a_large_list_falls_into_groups() -> None:
    rows = [(f"ch_{number}", "offer_1") for number in range(2 * ROWS_AT_ONCE + 7)]

    file = pq.ParquetFile(io.BytesIO(written(("cardholder_id", "item_id"), rows)))

    assert file.schema_arrow == pa.schema(
        [pa.field("cardholder_id", pa.string(), nullable=False),
         pa.field("item_id", pa.string(), nullable=False)]
    )  # fmt: skip
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [ROWS_AT_ONCE, ROWS_AT_ONCE, 7]
    assert file.read().column("cardholder_id").to_pylist() == [row[0] for row in rows]
    assert file.metadata.row_group(0).column(1).total_compressed_size < ROWS_AT_ONCE


def test_rows_are_asked_for_as_the_file_is_sent() -> None:
    asked = itertools.count()
    rows = ((str(next(asked)),) for _ in range(3 * ROWS_AT_ONCE))
    parts = parquet_parts(("n",), rows)

    next(parts), next(parts)

    assert next(asked) == ROWS_AT_ONCE


@pytest.mark.parametrize(
    ("fields", "rows"),
    [((), []), (("a", "a"), [("x", "y")]), (("a", "b"), [("x",)]), (("a",), [("x", "y")])],
)
def test_what_is_no_table_is_refused(fields: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match=r"each once|cells"):
        written(fields, rows)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "00"), (-1, "01"), (1, "02"), (63, "7e"), (64, "8001"), (-(2**31), "ffffffff0f")],
)
def test_whole_numbers_are_written_as_the_protocol_says(number: int, encoded: str) -> None:
    assert thrift.zigzag(number).hex() == encoded


def test_fields_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="field 2 cannot follow field 3"):
        thrift.struct(thrift.int32(3, 1), thrift.int32(2, 1))
