"""A cardholder's fields, those of his deeds or none, make one state."""

from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.cardholder import CardholderState
from recsvc.stores.people.state_codec import PLAIN, state_of_fields

CONSENT = b'{"marketing":{},"personalisation":true,"purpose_version":"2","recorded_at":null}'
DEEDS = {
    b"e:1": b'1000000|5-1|["clicked","i1"]',
    b"d:i2": b"2000000|1000000",
    b"u:i3": b"u1,h,3,250,,,",
    b"f:mcc:5411": b"3000000",
    b"s:i4": b"4000000",
    b"d:i5": b"|1000000",
}
NAMES = (b"e:1", b"d:i2", b"u:i3", b"f:mcc:5411")


def flat(fields: dict[bytes, bytes]) -> list[bytes]:
    return [part for pair in fields.items() for part in pair]


def deeds(state: CardholderState) -> tuple[bool, ...]:
    """Which kinds of deeds a state tells of."""
    kept = (state.contacts, state.dismissals, state.uses, state.forgotten)
    return tuple(bool(one) for one in kept)


def test_nobody_is_unknown_allows_nothing_and_did_nothing() -> None:
    assert state_of_fields("c1", [], None, None) == CardholderState("c1")


@given(names=st.sets(st.sampled_from(sorted(DEEDS))), plain=st.sets(st.sampled_from(sorted(PLAIN))))
def test_each_deed_is_told_whatever_stands_beside_it(names: set[bytes], plain: set[bytes]) -> None:
    values = {
        b"consent": CONSENT,
        b"profile": b'{"card_products":[],"city":null,"segments":[],"timezone":null}',
    }
    beside = {name: values.get(name, b"0") for name in plain}
    state = state_of_fields("c1", flat(beside | {name: DEEDS[name] for name in names}), None, "2")

    assert deeds(state) == tuple(name in names for name in NAMES)
    assert (state.known, state.may_personalise) == (b"profile" in plain, b"consent" in plain)


def test_an_erased_cardholder_may_not_be_personalised_and_an_old_consent_counts_no_more() -> None:
    fields = flat({b"consent": CONSENT})
    states = [
        state_of_fields("c1", fields, *rest) for rest in ((None, "2"), (b"{}", "2"), (None, "3"))
    ]

    assert [one.may_personalise for one in states] == [True, False, False]
