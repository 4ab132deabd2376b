"""Sums in parts are the sums of the whole, wherever the parts are cut."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from training import sums

tables = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=12).map(
    lambda rows: sparse.csr_matrix(np.array(rows, np.float32))
)


@settings(max_examples=50, deadline=None)
@given(tables, st.integers(1, 7))
def test_ranges_of_rows_follow_one_another_and_leave_none_out(
    table: sparse.csr_matrix, most: int
) -> None:
    parts = list(sums.row_parts(table.indptr, most))

    assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
    assert parts[-1][1] == table.shape[0]
    for start, stop in parts:
        assert stop - start == 1 or table.indptr[stop] - table.indptr[start] <= most


@settings(max_examples=50, deadline=None)
@given(tables)
def test_sums_in_parts_are_those_of_the_whole(table: sparse.csr_matrix) -> None:
    whole = table.toarray().astype(np.float64)
    cells = sums.cells_per_column(table, 3)
    np.testing.assert_allclose(sums.sum_per_column(table, 3), whole.sum(axis=0))
    np.testing.assert_allclose(sums.sum_per_row(table), whole.sum(axis=1))
    np.testing.assert_array_equal(cells, (whole != 0).sum(axis=0))
