"""The statistics tell the truth on campaigns whose effect is known; the bench runs it at length."""

import pytest

from tests.campaigns import false_alarms, proof


def test_intervals_hold_the_truth_and_cuped_narrows_them() -> None:
    found = proof(400, 5_000, 7)

    assert 0.93 <= found.coverage <= 0.97
    assert 0.93 <= found.coverage_cuped <= 0.97
    assert 0.93 <= found.coverage_rate <= 0.97
    assert found.narrowed >= 0.2


@pytest.mark.parametrize("joining", [True, False])
def test_daily_looks_at_nothing_raise_few_false_alarms_and_plain_intervals_many(
    joining: bool,
) -> None:
    any_time, fixed = false_alarms(150, 2_500, 11, joining=joining)

    assert any_time <= 0.05
    assert fixed > 0.08
