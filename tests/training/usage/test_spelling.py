"""A quick yes about many texts is never wrong."""

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.usage import spelling
from training.usage.schema import ID_PATTERN
from training.usage.spelling import are_ids, with_digits

TYPES = (pa.string(), pa.large_string())
nearly_ids = st.text(st.sampled_from("aZ09._~-" * 8 + " \n/é１"), max_size=8)
columns = st.lists(st.one_of(st.none(), nearly_ids), max_size=8)


@settings(deadline=None)
@given(columns, st.sampled_from(TYPES), st.integers(0, 3))
def test_ids_are_what_the_pattern_says(
    drawn: list[str | None], kind: pa.DataType, left_out: int
) -> None:
    texts = pa.array(drawn, kind)[left_out:]
    present = [text for text in drawn[left_out:] if text is not None]

    assert are_ids(texts) == all(re.fullmatch(ID_PATTERN.strip("^$"), text) for text in present)


@pytest.mark.parametrize(("size", "is_one"), [(0, False), (1, True), (128, True), (129, False)])
def test_an_id_has_1_to_128_characters(size: int, is_one: bool) -> None:
    assert are_ids(pa.array(["ok", "x" * size])) == is_one


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from("0123456789ab- 上①٣"), max_size=14), max_size=8),
    st.sampled_from(TYPES),
    st.integers(1, 11),
)
def test_no_text_with_enough_digits_is_passed_over(
    drawn: list[str], kind: pa.DataType, least: int
) -> None:
    found = set(with_digits(pa.array(drawn, kind), least).tolist())
    with_ascii_digits = {
        place for place, text in enumerate(drawn) if len(re.findall(r"[0-9]", text)) >= least
    }
    with_any = {
        place for place, text in enumerate(drawn) if len(re.findall(r"[^ -/:-~]", text)) >= least
    }

    assert with_ascii_digits <= found == with_any


def test_places_count_through_long_columns() -> None:
    n = 2 * spelling.AT_ONCE + 5
    texts = ["a1"] * n
    for place in (0, spelling.AT_ONCE - 1, spelling.AT_ONCE, n - 1):
        texts[place] = "1a2b3"
    found = with_digits(pa.array(texts), 3)

    assert found.tolist() == [0, spelling.AT_ONCE - 1, spelling.AT_ONCE, n - 1]
