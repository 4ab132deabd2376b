"""Statistics against hand-computed, published and scipy's values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recsvc.domain.results.arms import Arm
from recsvc.domain.results.effect import cuped, difference, interval, sample_ratio
from recsvc.domain.results.normal import chi_square_p, quantile, two_sided_p
from recsvc.domain.results.planning import (
    Baseline,
    cardholders_needed,
    detectable_difference,
    detectable_rate,
)
from recsvc.domain.results.sequential import always_valid, effective_size, mixture
from tests.campaigns import width

samples = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40)


@pytest.mark.parametrize(("p", "z"), [(0.5, 0.0), (0.975, 1.959964), (0.8, 0.841621)])
def test_normal_quantiles_as_in_every_table(p: float, z: float) -> None:
    assert quantile(p) == pytest.approx(z, abs=1e-6)


@given(st.floats(0, 60))
def test_tails_agree_with_scipy(x: float) -> None:
    assert two_sided_p(x) == pytest.approx(2 * stats.norm.sf(x), rel=1e-9, abs=1e-300)
    assert chi_square_p(x) == pytest.approx(stats.chi2.sf(x, 1), rel=1e-9)


def test_a_difference_by_hand() -> None:
    effect = difference(Arm.of(np.array([1.0, 2, 3])), Arm.of(np.array([0.0, 1, 2])))

    assert effect is not None
    assert effect.estimate == 1.0
    assert effect.error == pytest.approx(math.sqrt(2 / 3))
    assert (effect.low, effect.high) == pytest.approx((1 - 1.600303, 1 + 1.600303), abs=1e-5)


@given(samples, samples)
def test_a_difference_has_the_mean_and_error_of_welchs_test(
    one: list[float], other: list[float]
) -> None:
    effect = difference(Arm.of(np.array(one)), Arm.of(np.array(other)))

    error = math.sqrt(np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other))
    assert effect is not None
    assert effect.estimate == pytest.approx(np.mean(one) - np.mean(other), abs=1e-6)
    assert effect.error == pytest.approx(error, abs=1e-4)


@given(samples, samples)
def test_arms_of_parts_add_up_to_the_arm_of_all(one: list[float], other: list[float]) -> None:
    x = np.arange(len(one) + len(other), dtype=np.float64)
    y = np.array(one + other)

    added = Arm.of(y[: len(one)], x[: len(one)]) + Arm.of(y[len(one) :], x[len(one) :])

    whole = Arm.of(y, x)
    assert added.n == whole.n
    assert added.variance == pytest.approx(whole.variance, rel=1e-6, abs=1e-6)
    assert added.covariance == pytest.approx(np.cov(x, y)[0, 1], rel=1e-6, abs=1e-3)


def test_cuped_takes_out_what_the_past_foretold() -> None:
    chance = np.random.default_rng(1)
    before = chance.normal(100, 20, 4_000)
    after = before + chance.normal(0, 10, 4_000)
    after[:2_000] += 3
    arms = [Arm.of(after[at], before[at]) for at in (slice(2_000), slice(2_000, None))]

    plain, adjusted = difference(*arms), cuped(*arms)

    assert plain is not None
    assert adjusted is not None
    correlation = np.corrcoef(before, after - 3 * (np.arange(4_000) < 2_000))[0, 1]
    expected = width(plain) * math.sqrt(1 - correlation**2)
    assert width(adjusted) == pytest.approx(expected, rel=0.02)
    assert adjusted.low < 3 < adjusted.high


@given(samples, samples)
def test_cuped_without_a_past_is_the_plain_difference(one: list[float], other: list[float]) -> None:
    arms = Arm.of(np.array(one)), Arm.of(np.array(other))

    assert cuped(*arms) == difference(*arms)


def test_cuped_by_least_squares() -> None:
    chance = np.random.default_rng(2)
    x, w = chance.normal(size=300), np.repeat([1.0, 0.0], 150)
    y = 2 * x + 0.5 * w + chance.normal(size=300)
    design = np.column_stack([np.ones(300), w, x])

    effect = cuped(Arm.of(y[:150], x[:150]), Arm.of(y[150:], x[150:]))

    assert effect is not None
    assert effect.estimate == pytest.approx(np.linalg.lstsq(design, y)[0][1], abs=1e-9)


def test_an_arm_of_fewer_than_two_says_nothing() -> None:
    assert difference(Arm.of(np.ones(1)), Arm.of(np.ones(5))) is None
    assert cuped(Arm(), Arm.of(np.ones(5))) is None


def test_the_published_sample_ratio_mismatch_is_found() -> None:
    """Kohavi, Tang, Xu 2020, chapter 21: 821,588 against 815,482 has p = 1.8e-6."""
    check = sample_ratio(821_588, 815_482, 5_000)

    assert check is not None
    assert check.p_value == pytest.approx(1.8e-6, rel=0.05)
    assert check.is_broken


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 9_999))
def test_the_sample_ratio_check_is_scipys(treated: int, holdout: int, bps: int) -> None:
    check = sample_ratio(treated, holdout, bps)

    total, share = treated + holdout, bps / 10_000
    expected = [total * (1 - share), total * share]
    assert check is not None
    assert check.p_value == pytest.approx(
        stats.chisquare([treated, holdout], expected).pvalue, rel=1e-6, abs=1e-300
    )


def test_a_ratio_that_was_not_promised_is_not_checked() -> None:
    assert sample_ratio(100, 0, 0) is None
    assert sample_ratio(0, 0, 1_000) is None


def test_sixteen_times_variance_over_difference_squared() -> None:
    """The rule of thumb of van Belle 2008: n = 16 σ²/Δ² an arm at 5 % and 80 %."""
    needed = cardholders_needed(1.0, 5_000, variance=100.0)

    assert needed / 2 == pytest.approx(16 * 100, rel=0.03)


def test_what_can_be_seen_and_what_is_needed_are_inverse() -> None:
    seen = detectable_difference(9_000, 1_000, variance=0.09)

    assert seen is not None
    assert cardholders_needed(seen, 1_000, variance=0.09) == pytest.approx(10_000, abs=1)
    assert detectable_rate(9_000, 1_000, rate=0.1) == pytest.approx(seen)
    assert detectable_rate(9_000, 0, rate=0.1) is None


def test_an_effect_of_the_detectable_size_is_found_four_times_in_five() -> None:
    chance = np.random.default_rng(5)
    seen = detectable_rate(4_000, 1_000, rate=0.2)
    assert seen is not None
    found = 0
    for _ in range(400):
        treated, holdout = chance.random(4_000) < 0.2 + seen, chance.random(1_000) < 0.2
        effect = difference(Arm.of(treated.astype(np.float64)), Arm.of(holdout.astype(np.float64)))
        found += effect is not None and effect.p_value < 0.05

    assert found / 400 == pytest.approx(0.8, abs=0.06)


PLAIN = interval(2.0, 0.5)


def test_the_narrowest_mixture_by_search() -> None:
    size = 30.0
    best = mixture(PLAIN.error**2 * size**2)

    def width_at(rho: float) -> float:
        return width(always_valid(PLAIN, size, rho))

    assert width_at(best) < width_at(best * 1.05)
    assert width_at(best) < width_at(best * 0.95)


def test_an_any_time_interval_by_hand() -> None:
    """m = 10, error 1: T = 100, ρ = 100: sqrt(200 (2 log 20 + log 2)) / 10."""
    found = always_valid(interval(0.0, 1.0), 10.0, 100.0)

    assert found.high == pytest.approx(math.sqrt(200 * (5.991465 + 0.693147)) / 10, abs=1e-6)
    assert found.p_value == 1.0


def test_the_any_time_p_value_is_the_level_at_which_zero_leaves_the_interval() -> None:
    found = always_valid(interval(5.0, 0.5), 10.0, 40.0)

    assert 0 < found.p_value < 0.05
    assert always_valid(
        interval(5.0, 0.5), 10.0, 40.0, confidence=1 - found.p_value
    ).low == pytest.approx(0, abs=1e-9)


@given(st.floats(1e-3, 1e6), st.floats(1.0, 1e5))
def test_being_allowed_to_look_always_costs_width(rho: float, size: float) -> None:
    assert width(always_valid(PLAIN, size, rho)) > width(PLAIN)


def test_the_effective_size_is_half_the_harmonic_mean() -> None:
    assert effective_size(100, 100) == 50
    assert effective_size(900, 100) == 90
    assert effective_size(900, 0) == 0


def test_a_look_that_was_not_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        mixture(0.0)
    with pytest.raises(ValueError, match="above 0"):
        always_valid(PLAIN, 0.0, 1.0)


def test_an_effect_is_told_by_its_interval_and_not_by_its_error() -> None:
    told = interval(2.0, 1.0).times(10).told()

    assert list(told) == ["estimate", "low", "high", "p_value"]
    assert told == pytest.approx(
        {"estimate": 20, "low": 0.40036, "high": 39.59964, "p_value": 0.0455}, abs=1e-5
    )


@given(st.integers(0, 500), st.integers(500, 10_000))
def test_a_rate_counts_as_known_once_ten_activated(activated: int, holdout: int) -> None:
    baseline = Baseline.seen(activated, holdout)

    assert baseline.is_assumed == (activated < 10)
    assert baseline.rate == (0.05 if activated < 10 else activated / holdout)
    with pytest.raises(ValueError, match="within 0 and 1"):
        Baseline(1.5)
