import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsvc.domain.audience.waterfall import Exclusion, Waterfall, waterfall


def test_each_cardholder_is_counted_once_at_the_first_step_that_he_fails() -> None:
    passes = {
        Exclusion.HOLDOUT: np.array([True, False, False, True]),
        Exclusion.NO_CONSENT: np.array([False, False, True, True]),
    }

    fallen = waterfall(4, passes)

    assert fallen.counts == {Exclusion.NO_CONSENT: 2, Exclusion.HOLDOUT: 1}
    assert list(fallen.counts) == [Exclusion.NO_CONSENT, Exclusion.HOLDOUT]
    assert fallen.allowed.tolist() == [False, False, False, True]
    assert fallen.fell(Exclusion.HOLDOUT).tolist() == [False, False, True, False]


@given(
    st.integers(0, 30).flatmap(
        lambda n: st.dictionaries(st.sampled_from(Exclusion), arrays(np.bool_, n), min_size=1).map(
            lambda passes: (n, passes)
        )
    )
)
def test_those_who_fall_and_those_who_pass_are_everybody(
    world: tuple[int, dict[Exclusion, np.ndarray]],
) -> None:
    n, passes = world

    fallen = waterfall(n, passes)

    assert sum(fallen.counts.values()) + np.count_nonzero(fallen.allowed) == n
    assert fallen.allowed.tolist() == np.logical_and.reduce(list(passes.values())).tolist()
    for step, count in fallen.counts.items():
        assert np.count_nonzero(fallen.fell(step)) == count


def test_a_step_out_of_order_or_of_another_length_is_refused_by_name() -> None:
    started = Waterfall.of(3).then(Exclusion.HOLDOUT, np.ones(3, np.bool_))

    with pytest.raises(ValueError, match="no_consent"):
        started.then(Exclusion.NO_CONSENT, np.ones(3, np.bool_))
    with pytest.raises(ValueError, match="below_score"):
        started.then(Exclusion.BELOW_SCORE, np.ones(4, np.bool_))
