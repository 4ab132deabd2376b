"""A serve token comes back as it was made, for its cardholder alone, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.errors import InvalidError
from recsvc.domain.serve_token import MAX_LENGTH, Serve, Tokens, decode
from tests.worlds import KEY

SERVE = Serve(
    "req", "offer_1", 3, "personal", 0.95, "v1", "7", "app_home", "default", 1_770_000_000
)
ids = st.from_regex(r"[A-Za-z0-9._~-]{1,128}", fullmatch=True)


def encode(serve: Serve, key: bytes, issuer_id: str, cardholder_id: str) -> str:
    shared = serve._asdict()
    names = ("item_id", "rank", "source", "propensity")
    place = tuple(shared.pop(name) for name in names)
    (token,) = Tokens(key, issuer_id, cardholder_id, **shared).of_all([place])
    return token


@given(
    request=ids,
    item=ids,
    rank=st.integers(1, 100),
    propensity=st.floats(0, 1, exclude_min=True),
    version=st.none() | ids,
    placement=st.none() | st.text(max_size=64),
)
def test_a_token_comes_back_as_it_was_made(
    request: str,
    item: str,
    rank: int,
    propensity: float,
    version: str | None,
    placement: str | None,
) -> None:
    serve = SERVE._replace(
        request_id=request,
        item_id=item,
        rank=rank,
        propensity=propensity,
        model_version=version,
        placement=placement,
    )

    token = encode(serve, KEY, "demo", "ch_1")

    assert decode(token, KEY, "demo", "ch_1") == serve
    assert len(token) <= MAX_LENGTH


@pytest.mark.parametrize(
    ("key", "issuer", "cardholder"),
    [(b"another key of tests", "demo", "ch_1"), (KEY, "other", "ch_1"), (KEY, "demo", "ch_2")],
)
def test_a_token_is_worth_nothing_elsewhere(key: bytes, issuer: str, cardholder: str) -> None:
    token = encode(SERVE, KEY, "demo", "ch_1")

    with pytest.raises(InvalidError, match="token"):
        decode(token, key, issuer, cardholder)


def test_any_altered_character_is_refused() -> None:
    token = encode(SERVE, KEY, "demo", "ch_1")

    for place, character in enumerate(token[:-1]):  # the last holds bits that mean nothing
        other = "A" if character != "A" else "B"
        with pytest.raises(InvalidError):
            decode(token[:place] + other + token[place + 1 :], KEY, "demo", "ch_1")


@given(st.text(max_size=2000))
def test_what_is_no_token_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidError) as raised:
        decode(text, KEY, "demo", "ch_1")

    assert raised.value.pointer == "serve_token"
    assert len(text) < 9 or text not in str(raised.value)
