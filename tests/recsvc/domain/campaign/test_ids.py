from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.campaign.ids import lettered


@given(st.binary(min_size=8, max_size=16))
def test_an_id_is_letters_alone_and_as_long_as_its_bytes_say(raw: bytes) -> None:
    made = lettered(raw)

    assert made.isalpha()
    assert len(made) == 2 * len(raw)


@given(st.binary(min_size=4, max_size=8), st.binary(min_size=4, max_size=8))
def test_two_ids_are_alike_only_when_their_bytes_are(one: bytes, other: bytes) -> None:
    assert (lettered(one) == lettered(other)) is (one == other)
