"""A JSON text is read in one way or refused in words."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import KeyTwiceError, NotJsonError
from embeddings.strict_json import read_strictly

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
values = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
steps = st.lists(st.one_of(st.just(None), st.text(max_size=3)), max_size=6)


def wrapped(inside: str, path: list[str | None]) -> bytes:
    """A text in lists (None) and objects (a key), the last of the path outermost."""
    for step in path:
        inside = f"[{inside}]" if step is None else f"{{{json.dumps(step)}: {inside}}}"
    return inside.encode()


@given(values, st.booleans())
def test_what_is_written_once_is_read_as_it_was(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert read_strictly(text) == value


@given(st.dictionaries(st.text(), scalars, min_size=1), scalars, st.data(), steps)
def test_a_key_that_comes_twice_is_refused_wherever_it_stands(
    value: dict[str, Any], other: Any, data: st.DataObject, path: list[str | None]
) -> None:
    again = data.draw(st.sampled_from(sorted(value)))
    twice = f"{json.dumps(value)[:-1]}, {json.dumps(again)}: {json.dumps(other)}}}"

    with pytest.raises(KeyTwiceError):
        read_strictly(wrapped(twice, path))


@given(steps)
def test_the_same_key_in_two_objects_is_no_key_twice(path: list[str | None]) -> None:
    assert read_strictly(wrapped('[{"a": {"a": 1}}, {"a": 2}]', path))


@given(st.sampled_from(["NaN", "Infinity", "-Infinity"]), steps)
def test_what_is_no_number_in_json_is_refused_by_its_name(
    name: str, path: list[str | None]
) -> None:
    with pytest.raises(NotJsonError, match=f"^{name} is no JSON number$"):
        read_strictly(wrapped(name, path))


@given(st.one_of(st.binary(), st.text('{}[]":,0e.-\\utfalsn ').map(str.encode)))
def test_any_bytes_are_one_value_or_refused_in_one_of_two_ways(text: bytes) -> None:
    try:
        value = read_strictly(text)
    except (KeyTwiceError, NotJsonError):
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Expecting value"),
        (b"{}{}", "Extra data"),
        (b"\xef\xbb\xbf{}", "Expecting value"),
        ("{}".encode("utf-16"), "not in UTF-8"),
        (b'{"a": "\xe9"}', "not in UTF-8"),
        (b"[" * 200_000, "nested beyond reason"),
        (b'{"a":' * 200_000, "nested beyond reason"),
        (b"9" * (sys.get_int_max_str_digits() + 1), "an integer of more digits"),
    ],
)
def test_a_refusal_says_why(text: bytes, why: str) -> None:
    with pytest.raises(NotJsonError, match=f"^{why}"):
        read_strictly(text)
