"""What is believed of the parameters before there are responses, and how firmly.

Gaussian, so a weighted sum of squares: maps near a multiple of the identity, each direction of
taste being nearly free to count more or less; an item's own vector near what it hangs on, its bias
near what its traits foretell, each trait's weight near nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.appeal import TRAITS, TYPE

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """How much evidence moves a parameter from its prior: the inverse of its variance there.

    Parameters
    ----------
    multiple : float
        What a map is a multiple of the identity of, before there are responses.
    multiples, directions, maps, corrections, biases, types, traits : float, above 0
        ``multiples`` is for the mean of a map's diagonal, ``directions`` for the diagonal about
        its mean and ``maps`` for what is beside it; ``types`` is for the traits that name the type
        of a reward or benefit, ``traits`` for the others.
    """

    multiple: float = 2.0
    multiples: float = 5.0
    directions: float = 2.0
    maps: float = 10.0
    corrections: float = 20.0
    biases: float = 16.0
    types: float = 250.0
    traits: float = 10.0

    def of_maps(self, n_factors: int) -> Floats:
        """Prior of each entry of a map, shape (n_factors, n_factors)."""
        found = np.full((n_factors, n_factors), self.maps, np.float64)
        np.fill_diagonal(found, self.directions)
        return found

    def of_traits(self, n_traits: int) -> Floats:
        """Prior of each trait's weight; 0 for the first, the general level, which is free."""
        named = [name.startswith(TYPE) for name in TRAITS[:n_traits]]
        return np.asarray(np.where(named, self.types, self.traits) * (np.arange(n_traits) > 0))


class Foretold:
    """What traits foretell of the biases of the items that were seen: a ridge regression.

    Its weights follow from the biases in closed form, so a minimiser need not look for them.

    Parameters
    ----------
    traits : float64, shape (n_items, n_traits)
    was_seen : bool, shape (n_items,)
    priors : Priors
    """

    def __init__(self, traits: Floats, was_seen: NDArray[np.bool_], priors: Priors) -> None:
        self._traits, self._was_seen, self._weight = traits, was_seen, priors.biases
        self._prior = priors.of_traits(traits.shape[1])
        known = traits * was_seen[:, None]
        left = known.T @ known + np.diag(self._prior / priors.biases + 1e-9)
        self._solver = np.asarray(np.linalg.solve(left, known.T), np.float64)

    def weights(self, biases: Floats) -> Floats:
        """Weight of each trait, shape (n_traits,)."""
        found: Floats = self._solver @ biases
        return found

    def beyond(self, biases: Floats) -> Floats:
        """What each item's bias has beyond its traits; 0 for items nobody has seen."""
        beyond: Floats = (biases - self._traits @ self.weights(biases)) * self._was_seen
        return beyond

    def penalty(self, biases: Floats) -> tuple[float, Floats]:
        """Prior's share of the loss, and its gradient."""
        beyond, weights = self.beyond(biases), self.weights(biases)
        value = 0.5 * (self._weight * beyond @ beyond + self._prior @ weights**2)
        return float(value), self._weight * beyond
