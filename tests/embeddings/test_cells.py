"""Contacts add up to cells by one rule."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.cells import Cells, add_cells, cells_of_contacts, signed_sums
from embeddings.interactions import EventWeights

FLAT = EventWeights(half_life_days=np.inf, daily_cap=100.0)


Contact = tuple[int, int, float]


def cells(contacts: list[Contact], rule: EventWeights = FLAT, as_of_day: int = 10) -> Cells:
    keys, days, weights = (list(part) for part in zip(*contacts, strict=True))
    return cells_of_contacts(
        np.array(keys, np.int64),
        np.array(days, np.int32),
        np.array(weights, np.float32),
        np.sign(weights).astype(np.int32),
        rule,
        as_of_day=as_of_day,
    )


def test_contacts_of_one_cell_add_up() -> None:
    found = cells([(7, 1, 1.0), (3, 1, 1.0), (7, 2, 1.0)])

    assert found.keys.tolist() == [3, 7]
    assert found.strength.tolist() == [1.0, 2.0]
    assert found.visits.tolist() == [1, 2]
    assert found.last_day.tolist() == [1, 2]


def test_a_refund_takes_its_purchase_back() -> None:
    found = cells([(1, 1, 1.0), (1, 5, -1.0), (2, 1, 1.0), (2, 2, 1.0), (2, 3, -1.0)])

    assert found.keys.tolist() == [2]
    assert found.strength.tolist() == [1.0]
    assert found.visits.tolist() == [1]


def test_one_day_brings_no_more_than_the_daily_cap() -> None:
    rule = EventWeights(half_life_days=np.inf, daily_cap=2.0)

    found = cells([(1, 4, 1.0)] * 50 + [(1, 5, 1.0)], rule)

    assert found.strength.tolist() == [3.0]
    assert found.visits.tolist() == [51]


def test_a_contact_of_one_half_life_counts_half() -> None:
    rule = EventWeights(half_life_days=30.0, daily_cap=5.0)

    found = cells([(1, 70, 1.0), (2, 100, 1.0), (3, 130, 1.0)], rule, as_of_day=100)

    assert found.strength.tolist() == [0.5, 1.0, 1.0]


def test_nothing_adds_up_to_nothing() -> None:
    empty = np.empty(0, np.int64)
    narrow, wide = empty.astype(np.int32), empty.astype(np.float32)

    found = cells_of_contacts(empty, narrow, wide, narrow, FLAT, as_of_day=0)

    assert found.keys.size == found.strength.size == found.visits.size == found.last_day.size == 0


contacts_of_few = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 12), st.sampled_from([-1.0, 0.5, 1.0, 2.0])),
    min_size=1,
    max_size=40,
)


@given(contacts_of_few, st.randoms(use_true_random=False))
def test_the_order_of_contacts_does_not_matter(contacts: list[Contact], random: Random) -> None:
    rule = EventWeights(half_life_days=7.0, daily_cap=2.0)
    shuffled = random.sample(contacts, len(contacts))

    one, other = cells(contacts, rule), cells(shuffled, rule)

    assert one.keys.tolist() == other.keys.tolist()
    np.testing.assert_allclose(one.strength, other.strength, rtol=1e-6)
    assert one.visits.tolist() == other.visits.tolist()


@pytest.mark.parametrize(
    ("keys", "days"),
    [
        (50, 300),
        (5_000, 1),
        (1 << 62, 300),  # too far apart to be sorted as whole numbers
    ],
)
def test_many_contacts_add_up_bit_for_bit_as_each_cells_few(keys: int, days: int) -> None:
    rng = np.random.default_rng(5)
    n, rule = 6_000, EventWeights(half_life_days=30.0, daily_cap=1.5)
    some = rng.integers(-keys, keys, 400)[rng.integers(0, 400, n)]
    when = rng.integers(-days, days, n).astype(np.int32)
    weights = rng.choice(np.array([-0.3, 0.1, 0.7, 1.1], np.float32), n)
    counts = np.sign(weights).astype(np.int32)
    whole = signed_sums(some, when, weights, counts, rule, as_of_day=days)

    for place, key in enumerate(np.unique(some)):
        of_key = np.flatnonzero(some == key)
        alone = signed_sums(
            some[of_key], when[of_key], weights[of_key], counts[of_key], rule, as_of_day=days
        )
        assert whole.keys[place] == key
        for name in ("strength", "visits", "last_day"):
            assert getattr(whole, name)[place] == getattr(alone, name)[0]


@given(contacts_of_few)
def test_cells_equal_a_sum_written_out(contacts: list[Contact]) -> None:
    rule = EventWeights(half_life_days=7.0, daily_cap=2.0)
    expected: dict[int, float] = {}
    for key in {c[0] for c in contacts}:
        total = 0.0
        for day in {c[1] for c in contacts if c[0] == key}:
            of_day = sum(c[2] for c in contacts if c[:2] == (key, day))
            total += min(2.0, max(-2.0, of_day)) * 2 ** (-max(10 - day, 0) / 7)
        expected[key] = total

    found = cells(contacts, rule)

    strong = {k: v for k, v in expected.items() if v > 1e-6}
    got = {
        k: v for k, v in zip(found.keys.tolist(), found.strength.tolist(), strict=True) if v > 1e-6
    }
    assert got == pytest.approx(strong, rel=1e-5)


days_apart = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from([0.5, 1.0, 2.0])), max_size=20
)
later = st.lists(
    st.tuples(st.integers(0, 4), st.integers(6, 9), st.sampled_from([-1.0, 0.5, 2.0])), max_size=20
)


def signed(contacts: list[Contact], rule: EventWeights) -> Cells:
    keys, days, weights = (
        (list(part) for part in zip(*contacts, strict=True)) if contacts else ([], [], [])
    )
    return signed_sums(
        np.array(keys, np.int64),
        np.array(days, np.int32),
        np.array(weights, np.float32),
        np.sign(np.array(weights)).astype(np.int32),
        rule,
        as_of_day=10,
    )


@given(days_apart, later)
def test_adding_later_contacts_equals_counting_all_together(
    first: list[Contact], second: list[Contact]
) -> None:
    rule = EventWeights(half_life_days=7.0, daily_cap=2.0)

    added = add_cells(signed(first, rule), signed(second, rule))
    together = signed(first + second, rule)

    strong = together.strength > 1e-5
    assert {*together.keys[strong].tolist()} <= {*added.keys.tolist()}
    place = np.searchsorted(together.keys, added.keys)
    np.testing.assert_allclose(added.strength, together.strength[place], atol=1e-5)
    assert added.visits.tolist() == np.maximum(together.visits[place], 0).tolist()
    assert added.last_day.tolist() == together.last_day[place].tolist()
