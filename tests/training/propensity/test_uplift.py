import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import somersd

from training.propensity.figures import (
    calibration,
    calibration_error,
    concordance,
    qini,
    qini_curve,
    uplift_at,
)
from training.propensity.uplift import Arms, fit_uplift


def response_world(
    n: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """The push moves only those whose second trait is positive; the first trait moves everybody."""
    chance = np.random.default_rng(seed)
    traits = chance.normal(size=(n, 5)).astype(np.float32)
    effect = np.where(traits[:, 1] > 0, 0.3, 0.0)
    treated = chance.random(n) < 0.8
    base = 0.1 + 0.3 * (traits[:, 0] > 0)
    outcome = (chance.random(n) < base + effect * treated).astype(np.float64)
    return traits, treated, outcome, effect


def test_uplift_finds_those_whom_the_push_moves_not_those_who_act_anyway() -> None:
    traits, treated, outcome, effect = response_world(20_000, 4)

    model, figures = fit_uplift([Arms.of(traits, treated, outcome)], seed=1)

    foreseen = model.foresee(traits)
    assert foreseen[effect > 0].mean() == pytest.approx(0.3, abs=0.06)
    assert foreseen[effect == 0].mean() == pytest.approx(0.0, abs=0.06)
    assert abs(np.corrcoef(foreseen, traits[:, 0])[0, 1]) < 0.2
    top, everybody = figures["uplift_at_30"], figures["uplift_all"]
    assert isinstance(top, float)
    assert isinstance(everybody, float)
    assert top > 1.6 * everybody


def test_with_no_one_moved_the_qini_of_unseen_cardholders_is_near_zero() -> None:
    chance = np.random.default_rng(7)
    traits = chance.normal(size=(20_000, 5)).astype(np.float32)
    treated, outcome = chance.random(20_000) < 0.5, (chance.random(20_000) < 0.2).astype(np.float64)

    _, figures = fit_uplift([Arms.of(traits, treated, outcome)], seed=1)

    assert isinstance(figures["qini"], float)
    assert abs(figures["qini"]) < 0.004


def test_an_arm_too_small_to_learn_from_is_refused() -> None:
    traits, treated, outcome, _ = response_world(300, 4)
    treated[:] = True
    treated[:20] = False

    with pytest.raises(ValueError, match="an arm has 20 cardholders, needs 100"):
        fit_uplift([Arms.of(traits, treated, outcome)], seed=1)


def test_the_latest_campaign_is_judged_by_a_model_of_those_before_it() -> None:
    campaigns = [Arms.of(*response_world(4000, seed)[:3]) for seed in (1, 2, 3)]
    _, figures = fit_uplift(campaigns, seed=1)

    assert figures["campaigns"] == 3
    assert figures["judged_on"] == "the latest campaign, by those before it"
    assert figures["cardholders"] == 4000
    assert isinstance(figures["qini"], float)
    assert figures["qini"] > 0.01


def test_campaigns_of_other_shares_teach_no_effect_that_is_not_there() -> None:
    """Who was often pushed also acts more by himself: only each campaign's own share tells why."""
    chance = np.random.default_rng(5)
    parts = []
    for share, base in ((0.9, 0.5), (0.1, 0.1)):
        treated = chance.random(10_000) < share
        outcome = (chance.random(10_000) < base).astype(np.float64)
        parts.append(Arms.of(np.full((10_000, 1), base, np.float32), treated, outcome))
    model, _ = fit_uplift(parts, seed=1)

    assert np.abs(model.foresee(np.array([[0.5], [0.1]], np.float32))).max() < 0.05


def test_a_campaign_without_a_holdout_teaches_nothing_of_its_own() -> None:
    traits, treated, outcome, _ = response_world(4000, 4)
    alone = Arms.of(traits, np.ones(4000, np.bool_), outcome)
    one, figures = fit_uplift([Arms.of(traits, treated, outcome), alone], seed=1)
    other, _ = fit_uplift([Arms.of(traits, treated, outcome)], seed=1)

    assert figures["campaigns"] == 1
    assert np.array_equal(one.foresee(traits), other.foresee(traits))


def test_the_qini_curve_by_hand() -> None:
    uplift = np.array([4.0, 3.0, 2.0, 1.0])
    treated, outcome = np.array([True, False, True, False]), np.array([1.0, 0.0, 1.0, 1.0])

    curve = qini_curve(uplift, treated, outcome)

    # k=1: 1 treated answers, no control yet; k=2: 1 - 0*1/1; k=3: 2 - 0*2/1; k=4: 2 - 1*2/2
    assert curve.tolist() == [0, 1, 1, 2, 1]
    assert qini(uplift, treated, outcome) == pytest.approx((4.5 - 2.0) / 16)


def test_uplift_at_by_hand() -> None:
    treated, outcome = np.array([True, False, True, False]), np.array([1.0, 0.0, 0.0, 1.0])

    assert uplift_at(0.5, np.array([4.0, 3, 2, 1]), treated, outcome) == 1.0
    assert uplift_at(1.0, np.array([4.0, 3, 2, 1]), treated, outcome) == 0.0
    assert uplift_at(0.25, np.array([4.0, 3, 2, 1]), treated, outcome) is None


@given(st.integers(0, 10**6), st.integers(2, 200))
def test_a_constant_score_has_no_area_beyond_its_ties(seed: int, n: int) -> None:
    chance = np.random.default_rng(seed)
    treated = chance.random(n) < 0.5

    curve = qini_curve(np.zeros(n), treated, np.zeros(n))

    assert not curve.any()


def test_concordance_agrees_with_somers_d() -> None:
    chance = np.random.default_rng(3)
    outcome = chance.poisson(2, 300).astype(np.float64)
    score = outcome + chance.normal(0, 2, 300)

    reference = 0.5 + 0.5 * somersd(outcome, score).statistic

    assert concordance(score, outcome, seed=1) == pytest.approx(reference, abs=0.01)
    assert concordance(-score, outcome, seed=1) == pytest.approx(1 - reference, abs=0.01)
    assert np.isnan(concordance(score, np.ones(300), seed=1))


def test_calibration_by_hand() -> None:
    score = np.arange(10) / 10
    outcome = np.array([0.1, *np.arange(1, 10) / 10])

    assert [group["foreseen"] for group in calibration(score, outcome)] == score.tolist()
    assert calibration_error(score, outcome) == pytest.approx(0.01)
