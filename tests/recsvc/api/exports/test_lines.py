import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.api.exports.lines import FORMULA_STARTS, csv_lines, ndjson_lines, safe_cell


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "＝1"]
)
def test_F53_a_cell_that_a_spreadsheet_would_execute_is_made_text(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@given(st.text())
def test_F53_no_written_text_begins_as_a_formula(text: str) -> None:
    written = str(safe_cell(text))

    assert not written.lstrip(" \u00a0\u3000").startswith(FORMULA_STARTS)


def test_F53_numbers_stay_numbers_and_plain_ids_stay_as_they_are() -> None:
    assert safe_cell(-0.5) == -0.5
    assert safe_cell("ch_7Q2") == "ch_7Q2"


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers())))
def test_a_csv_reads_back_as_it_was_but_for_the_apostrophes(rows: list[tuple[str, int]]) -> None:
    text = "".join(csv_lines(("cardholder_id", "rank"), rows))

    read = list(csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONNUMERIC))
    assert read == [["cardholder_id", "rank"], *([safe_cell(a), float(b)] for a, b in rows)]


def test_a_short_row_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match="row 2: 1 cells, expected 2"):
        list(csv_lines(("a", "b"), [(1, 2), (3,)]))


def test_ndjson_is_one_object_a_line_and_never_nan() -> None:
    lines = list(ndjson_lines([{"cardholder_id": "a\nb", "score": 0.5}, {"score": float("nan")}]))

    assert [line.count(b"\n") for line in lines] == [1, 1]
    assert [orjson.loads(line) for line in lines] == [
        {"cardholder_id": "a\nb", "score": 0.5},
        {"score": None},
    ]
