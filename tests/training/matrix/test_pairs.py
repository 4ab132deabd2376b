"""Pairs of codes counted batch by batch are the pairs of all rows counted at once."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from training.matrix.pairs import PairCounts

TEXTS = ("上海", "b", "", "a", "B")
pair = st.tuples(st.integers(-1, 4), st.integers(-1, len(TEXTS) - 1))
batches = st.lists(st.lists(pair, max_size=15), max_size=6)


def counted(drawn: list[list[tuple[int, int]]]) -> PairCounts:
    counts = PairCounts()
    for batch in drawn:
        left, right = np.array(batch, np.int32).reshape(-1, 2).T
        counts.add(left, right)
    return counts


@settings(deadline=None)
@given(batches)
def test_the_most_frequent_is_that_of_all_rows_and_ties_go_by_the_text(
    drawn: list[list[tuple[int, int]]],
) -> None:
    by_left: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for code, value in (one for batch in drawn for one in batch):
        if code >= 0 and value >= 0:
            by_left[code][TEXTS[value]] += 1
    expected = {
        code: min(counts, key=lambda text: (-counts[text], text))
        for code, counts in by_left.items()
    }
    left, right = counted(drawn).most_frequent(pa.array(TEXTS, pa.large_string()))

    assert {a: TEXTS[b] for a, b in zip(left.tolist(), right.tolist(), strict=True)} == expected
    assert left.tolist() == sorted(expected)


def test_codes_may_be_as_large_as_codes_are() -> None:
    largest = np.array([2**31 - 1, 2**31 - 1], np.int32)
    counts = PairCounts()
    counts.add(largest, np.array([0, 1], np.int32))
    counts.add(largest, np.array([1, 1], np.int32))
    left, right = counts.most_frequent(pa.array(["z", "a"], pa.large_string()))

    assert (left.tolist(), right.tolist()) == ([2**31 - 1], [1])
