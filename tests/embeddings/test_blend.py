import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.blend import Blend

PLAIN = Blend(
    trend_weight=0.5,
    trend_half_life_days=10,
    known_weight=0.1,
    habit_weight=2.0,
    habit_half_life_days=30,
)


def test_a_habit_of_today_adds_the_logarithm_of_its_strength() -> None:
    found = PLAIN.habit(np.array([3.0], np.float32), np.array([0.0]))

    assert found == pytest.approx(0.1 + 2 * np.log(4))


def test_a_habit_fades_by_half_its_strength_in_a_half_life() -> None:
    found = PLAIN.habit(np.array([3.0], np.float32), np.array([30.0]))

    assert found == pytest.approx(0.1 + 2 * np.log(2.5))


def test_a_habit_long_gone_keeps_what_having_been_there_is_worth() -> None:
    assert PLAIN.habit(np.array([3.0], np.float32), np.array([1e5])) == pytest.approx(0.1)


@pytest.mark.parametrize(("known", "habit"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)])
def test_either_weight_makes_a_habit(known: float, habit: float) -> None:
    assert Blend(known_weight=known, habit_weight=habit).has_habit is (known + habit > 0)


def test_a_contact_after_the_day_counts_as_of_today() -> None:
    both = PLAIN.habit(np.array([3.0, 3.0], np.float32), np.array([0.0, -5.0]))

    assert both[0] == both[1]


def test_the_trend_counts_cardholders_by_their_last_contact() -> None:
    columns, ages = np.array([0, 0, 0, 1]), np.array([0.0, 10.0, 20.0, 0.0])
    found = PLAIN.trend(columns, ages, n_columns=3)

    assert found == pytest.approx([0.5, 0.5 * np.log(2) / np.log(1 + 1.75), 0])


def test_without_cells_there_is_no_trend() -> None:
    assert PLAIN.trend(np.empty(0, np.int32), np.empty(0), 2).tolist() == [0, 0]


@given(st.lists(st.floats(0, 5000), min_size=2, max_size=20), st.floats(0.01, 1e4))
def test_the_more_recent_habit_never_weighs_less(ages: list[float], strength: float) -> None:
    recent_first = np.sort(np.array(ages))
    found = PLAIN.habit(np.full(recent_first.size, strength, np.float32), recent_first)

    assert (np.diff(found) <= 0).all()
    assert (found >= np.float32(0.1)).all()


def test_a_blend_survives_a_round_trip() -> None:
    assert Blend.from_document(PLAIN.as_document()) == PLAIN


@pytest.mark.parametrize(
    "wrong", [{"trend_weight": -1.0}, {"habit_half_life_days": 0.0}, {"habit_weight": np.inf}]
)
def test_weights_without_meaning_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Blend(**wrong)
