"""However contacts are spooled, the matrix is what the shared rule says."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.interactions import EventWeights
from training.matrix import Spool, build, visited_after
from training.matrix.contacts import CONTACT, KINDS
from training.matrix.spool import ROWS_PER_PART

HOLDERS, COLUMNS, AS_OF = 7, 5, 120
RULE = EventWeights(half_life_days=30.0, daily_cap=1.5, viewed=0.25)

contact = st.tuples(
    st.integers(0, HOLDERS - 1),
    st.integers(0, 2),  # a merchant
    st.sampled_from([-1, 3, 4]),  # its category
    st.integers(90, 125),
    st.integers(0, len(KINDS) - 1),
)
contacts = st.lists(contact, max_size=60)


def rows_of(drawn: list[tuple[int, int, int, int, int]]) -> np.ndarray:
    rows = np.full(len(drawn), -1, CONTACT)
    for name, values in zip(
        ("cardholder", "column", "category", "day", "kind"), zip(*drawn, strict=True), strict=False
    ):
        rows[name] = values
    return rows


def spooled(drawn: list[tuple[int, int, int, int, int]], n_parts: int, cut: int) -> Spool:
    """A spool of these contacts in two batches."""
    spool = Spool.open(HOLDERS, n_parts * ROWS_PER_PART)
    for batch in (drawn[:cut], drawn[cut:]):
        spool.append(rows_of(batch))
    return spool


def by_hand(drawn: list[tuple[int, int, int, int, int]]) -> dict[tuple[int, int], float]:
    """The rule, one contact at a time."""
    per_day: dict[tuple[int, int, int], float] = defaultdict(float)
    for holder, merchant, category, day, kind in drawn:
        event, sign = KINDS[kind]
        for column in {merchant, category} - {-1}:
            per_day[holder, column, day] += sign * RULE.of(event)
    cells: dict[tuple[int, int], float] = defaultdict(float)
    for (holder, column, day), weight in per_day.items():
        held = min(max(weight, -RULE.daily_cap), RULE.daily_cap)
        cells[holder, column] += held * 0.5 ** (max(AS_OF - day, 0) / RULE.half_life_days)
    return {cell: strength for cell, strength in cells.items() if strength > 1e-6}


@settings(max_examples=60, deadline=None)
@given(contacts, st.integers(1, 4), st.integers(0, 60))
def test_the_matrix_is_the_rule_however_contacts_are_spooled(
    drawn: list[tuple[int, int, int, int, int]], n_parts: int, cut: int
) -> None:
    with spooled(drawn, n_parts, cut) as spool:
        matrix = build(spool, COLUMNS, RULE, as_of_day=AS_OF)

    expected = by_hand(drawn)
    table = matrix.strength.tocoo()
    cells = zip(table.row, table.col, table.data, strict=True)
    found = {(int(r), int(c)): float(v) for r, c, v in cells if v > 1e-6}
    assert found.keys() == expected.keys()
    assert all(abs(found[cell] - expected[cell]) < 1e-5 for cell in expected)


@settings(max_examples=30, deadline=None)
@given(contacts, st.integers(95, 125), st.integers(1, HOLDERS))
def test_a_cut_in_time_or_a_sample_is_the_matrix_of_those_contacts_alone(
    drawn: list[tuple[int, int, int, int, int]], day: int, n_holders: int
) -> None:
    kept = [c for c in drawn if c[3] < day and c[0] < n_holders]
    with spooled(drawn, 3, 9) as whole, spooled(kept, 1, 0) as alone:
        cut = build(whole, COLUMNS, RULE, as_of_day=AS_OF, before_day=day, n_cardholders=n_holders)
        same = build(alone, COLUMNS, RULE, as_of_day=AS_OF)

    assert cut.strength.shape == (n_holders, COLUMNS)
    np.testing.assert_array_equal(cut.strength.toarray(), same.strength[:n_holders].toarray())
    np.testing.assert_array_equal(cut.visits, same.visits)
    np.testing.assert_array_equal(cut.last_day, same.last_day)


@settings(max_examples=30, deadline=None)
@given(contacts, st.integers(95, 125))
def test_what_was_visited_after_a_day_is_its_purchases(
    drawn: list[tuple[int, int, int, int, int]], day: int
) -> None:
    with spooled(drawn, 2, 5) as spool:
        met = visited_after(spool, COLUMNS, from_day=day, n_cardholders=HOLDERS).tocoo()

    expected = {(h, m) for h, m, _, d, kind in drawn if d >= day and kind == 0}
    assert {(int(r), int(c)) for r, c in zip(met.row, met.col, strict=True)} == expected
    assert set(met.data) <= {1.0}


def test_contacts_of_nobody_of_nothing_or_of_no_kind_are_left_out() -> None:
    rows = rows_of([(0, 1, -1, 100, 0), (1, 1, -1, 100, 0), (2, 2, 3, 100, 1), (6, 0, 4, 99, 0)])
    rows["kind"][0], rows["cardholder"][1], rows["column"][2] = -1, -1, -1
    with Spool.open(HOLDERS, 3 * ROWS_PER_PART) as spool:
        spool.append(rows)
        kept = [spool.part(number).tolist() for number in range(len(spool))]

    assert spool.fences.tolist() == [0, 2, 4, 7]
    assert kept == [[], [], [(6, 0, 4, 99, -1, -1, -1, 0)]]
