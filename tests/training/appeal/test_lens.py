"""Which directions of taste are trusted."""

import numpy as np
import pytest

from training.appeal.lens import lens_of, principal_directions, reliabilities


def halves(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """One taste that both halves tell, beside a direction that is chance in each."""
    rng = np.random.default_rng(3)
    taste = rng.standard_normal(5000)
    first, second = (np.c_[taste, noise * rng.standard_normal(5000)] for _ in range(2))
    return first, second


def test_a_direction_on_which_the_halves_agree_is_reliable_and_chance_is_not() -> None:
    assert reliabilities(*halves(0.5), np.eye(2)) == pytest.approx([1.0, 0.02], abs=0.03)


def test_a_direction_in_which_nobody_differs_is_not_trusted() -> None:
    flat = np.zeros((4, 2))

    assert reliabilities(flat, flat, np.eye(2)).tolist() == [0.02, 0.02]


def test_a_lens_shortens_what_is_not_trusted_and_turns_nothing_else() -> None:
    first, second = halves(0.5)
    lens = lens_of((first + second) / 2, first, second)

    assert np.linalg.norm(lens, axis=0) == pytest.approx([1.0, 0.02**0.25], abs=0.06)
    assert lens[:, 0] @ lens[:, 1] == pytest.approx(0, abs=1e-9)


def test_principal_directions_are_in_the_order_of_their_variance() -> None:
    found = principal_directions(np.array([[0, 3.0], [0, -3.0], [1.0, 0], [-1.0, 0]]))

    assert np.abs(found) == pytest.approx(np.array([[0, 1], [1, 0]]))
