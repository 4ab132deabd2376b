"""Of what a cardholder did at a column that he deleted, only what came after counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embeddings.deleted_interests import DAY_MICROSECONDS, DeletedInterests
from embeddings.erasure import erased_hash
from embeddings.vocabulary import Vocabulary
from tests.training.matrix.test_build import (
    AS_OF,
    COLUMNS,
    HOLDERS,
    RULE,
    contacts,
    rows_of,
)
from training.matrix import Forgotten, Spool, build

KEY = b"k" * 16
NAMES = ["merchant:a", "merchant:b", "merchant:c", "category:d", "category:e"]
EVERYONE = Vocabulary.build([f"ch_{i}" for i in range(HOLDERS)], b"v")
MET = Vocabulary.build(NAMES, b"v")

deletions = st.dictionaries(
    st.tuples(st.integers(0, HOLDERS - 1), st.integers(0, COLUMNS - 1)),
    st.integers(89 * DAY_MICROSECONDS, 126 * DAY_MICROSECONDS),
    max_size=12,
)


def a_list(deleted: dict[tuple[int, int], int]) -> DeletedInterests:
    """The list of deletions of these rows and columns, and of some that nobody met."""
    told: dict[str, dict[str, int]] = {erased_hash(KEY, "stranger"): {"merchant:a": 1}}
    for (row, column), at in deleted.items():
        own = told.setdefault(erased_hash(KEY, EVERYONE.id(row)), {"merchant:never_met": 1})
        own[MET.id(column)] = at
    return DeletedInterests("demo", KEY, 1, told)


@given(contacts, deletions)
def test_the_matrix_is_that_of_the_contacts_that_are_left(
    drawn: list[tuple[int, int, int, int, int]], deleted: dict[tuple[int, int], int]
) -> None:
    def counts(holder: int, column: int, day: int) -> bool:
        return day > deleted.get((holder, column), -1) // DAY_MICROSECONDS

    left = []
    for holder, merchant, category, day, kind in drawn:
        columns = [c for c in (merchant, category) if c >= 0 and counts(holder, c, day)]
        left += [(holder, column, -1, day, kind) for column in columns]
    rows = rows_of(drawn)
    forgotten = Forgotten.of(a_list(deleted), EVERYONE, MET)
    if forgotten is not None:
        forgotten.leave_out(rows)
    with Spool.open(HOLDERS, 1) as kept, Spool.open(HOLDERS, 1) as alone:
        kept.append(rows)
        alone.append(rows_of(left))
        found = build(kept, COLUMNS, RULE, as_of_day=AS_OF)
        expected = build(alone, COLUMNS, RULE, as_of_day=AS_OF)

    np.testing.assert_allclose(
        found.strength.toarray(), expected.strength.toarray(), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(found.visits, expected.visits)
    np.testing.assert_array_equal(found.last_day, expected.last_day)


def test_without_a_deletion_of_what_was_met_there_is_nothing_to_look_for() -> None:
    assert Forgotten.of(None, EVERYONE, MET) is None
    assert Forgotten.of(a_list({}), EVERYONE, MET) is None


def test_a_contact_of_nobody_is_left_as_it_is() -> None:
    forgotten = Forgotten.of(a_list({(HOLDERS - 1, COLUMNS - 1): 2**50}), EVERYONE, MET)
    rows = rows_of([(-1, COLUMNS - 1, -1, 100, 0), (0, 0, 3, 100, 0)])
    before = rows.copy()

    assert forgotten is not None
    forgotten.leave_out(rows)
    np.testing.assert_array_equal(rows, before)
