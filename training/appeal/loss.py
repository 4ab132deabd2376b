"""How badly parameters explain impressions, and in which direction they would do better.

Two outcomes of one interest ``z``: an item is taken up with log-odds ``z`` and looked into with
``level + slope·z``; the click is the commoner, so it tells more of tastes, and its slope is learned
beside the rest, within 0 and 1: were it free, clicks could be learned by heart at no cost, with a
steep slope and an interest too small for the prior to see.

What responses cannot decide stays near the prior (Gaussian, so a weighted sum of squares): maps
near a multiple of the identity, each direction of taste being nearly free to count more or less; an
item's own vector near what it hangs on, its bias near what its traits foretell, each trait's weight
near nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds

from embeddings.appeal import TRAITS, TYPE
from training.appeal.evidence import Evidence

Floats = NDArray[np.float64]
AT_ONCE = 8192
"""Impressions whose vectors are gathered at once: as many as a core's cache holds."""
CLICK_SLOPE = (0.0, 1.0)
UNCERTAIN = 0.2
"""``p(1 - p)`` of a usual outcome, for the size of steps only."""


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """All that is fitted, as views of one flat vector.

    Parameters
    ----------
    maps : float64, shape (2, n_factors, n_factors)
    corrections : float64, shape (n_items, n_factors)
    biases : float64, shape (n_items,)
        What everyone likes about each item in all, traits included.
    click : float64, shape (2,)       level and slope
    """

    maps: Floats
    corrections: Floats
    biases: Floats
    click: Floats

    @classmethod
    def of(cls, flat: Floats, shape: tuple[int, int]) -> "Parameters":
        """Views of a flat vector; ``shape`` is items, factors."""
        n_items, n_factors = shape
        sizes = (2 * n_factors**2, n_items * n_factors, n_items)
        maps, corrections, biases, click = np.split(flat, np.cumsum(sizes))
        return cls(
            maps.reshape(2, n_factors, n_factors),
            corrections.reshape(n_items, n_factors),
            biases,
            click,
        )

    def flat(self) -> Floats:
        """All of them in one vector, as :meth:`of` takes it."""
        parts = (self.maps, self.corrections, self.biases, self.click)
        return np.concatenate([part.ravel() for part in parts])


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


class Loss:
    """Penalised negative log-likelihood and its gradient, for a minimiser.

    Parameters
    ----------
    evidence : Evidence
    priors : Priors
    """

    def __init__(self, evidence: Evidence, priors: Priors) -> None:
        self.evidence = evidence
        self.priors = priors
        self.shape = evidence.items.merchants.shape
        self._of_maps = priors.of_maps(self.shape[1])
        self._times = self._per_item(np.ones(len(evidence.seen)))
        self._order = np.argsort(evidence.seen.items, kind="stable")
        self._viewers = evidence.viewers[self._order].astype(np.int32)
        self._starts = np.r_[0, np.cumsum(self._times)].astype(np.int32)
        self.foretold = Foretold(evidence.items.traits, self._times > 0, priors)

    def start(self) -> Parameters:
        """The prior, with the level of activations and clicks as they are on average."""
        n_items, n_factors = self.shape
        level, click = (
            _log_odds(float(outcome.mean()))
            for outcome in (self.evidence.seen.taken_up, self.evidence.seen.looked_into)
        )
        return Parameters(
            np.stack([self.priors.multiple * np.eye(n_factors)] * 2),
            np.zeros((n_items, n_factors)),
            np.full(n_items, level) * (self._times > 0),
            np.array([click - 0.5 * level, 0.5]),
        )

    def steps(self) -> Parameters:
        """How far each parameter may sensibly move at once: one over the root of its curvature.

        A minimiser that works in these units needs a fraction of the rounds.
        """
        side, priors, n_factors = self.evidence.items, self.priors, self.shape[1]
        times = UNCERTAIN * self._times
        of_maps = np.stack([times @ part**2 for part in (side.merchants, side.categories)])
        curvature = Parameters(
            self._of_maps + np.repeat(of_maps[:, None] / n_factors, n_factors, axis=1),
            priors.corrections + np.repeat(times[:, None], n_factors, axis=1) / n_factors,
            priors.biases + times,
            times.sum() * np.array([1.0, 4.0]) + 1.0,
        )
        return Parameters.of(1.0 / np.sqrt(curvature.flat()), self.shape)

    def bounds(self) -> Bounds:
        """Between which values each parameter lies: the click's slope alone has any."""
        lower, upper = np.full((2, self.start().flat().size), np.inf)
        lower *= -1
        lower[-1], upper[-1] = CLICK_SLOPE
        return Bounds(lower, upper)

    def interest(self, found: Parameters) -> Floats:
        """Log-odds that each impression is taken up, shape (n_impressions,)."""
        side, seen = self.evidence.items, self.evidence.seen
        vectors = side.merchants @ found.maps[0].T + side.categories @ found.maps[1].T
        vectors += found.corrections
        interest = found.biases[seen.items]
        for start in range(0, interest.size, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            tastes = self.evidence.tastes[self.evidence.viewers[part]]
            interest[part] += np.einsum("ij,ij->i", tastes, vectors[seen.items[part]])
        return interest

    def __call__(self, flat: Floats) -> tuple[float, Floats]:
        """Loss and gradient at these parameters."""
        found, seen = Parameters.of(flat, self.shape), self.evidence.seen
        interest = self.interest(found)
        level, slope = found.click
        taken, by_interest = _logistic(interest, seen.taken_up)
        looked, by_click = _logistic(level + slope * interest, seen.looked_into)
        gradient = self._gradient(by_interest + slope * by_click)
        gradient.click[:] = by_click.sum(), by_click @ interest
        penalty = self._penalise(found, gradient)
        return taken + looked + penalty, gradient.flat()

    def _gradient(self, by_interest: Floats) -> Parameters:
        """Gradient of the likelihood from that by each impression's interest."""
        side = self.evidence.items
        cells = (by_interest[self._order], self._viewers, self._starts)
        shape = (self.shape[0], len(self.evidence.tastes))
        per_item = np.asarray(sparse.csr_matrix(cells, shape=shape) @ self.evidence.tastes)
        maps = np.stack([per_item.T @ side.merchants, per_item.T @ side.categories])
        return Parameters(maps, per_item, self._per_item(by_interest), np.zeros(2))

    def _per_item(self, values: Floats) -> Floats:
        """Sum of a value of each impression over each item's impressions."""
        items = self.evidence.seen.items
        return np.bincount(items, weights=values, minlength=self.shape[0]).astype(np.float64)

    def _penalise(self, found: Parameters, gradient: Parameters) -> float:
        """Add the priors' share to the gradient; returns their share of the loss."""
        of_maps, by_maps = self._penalise_maps(found.maps)
        of_biases, by_biases = self.foretold.penalty(found.biases)
        gradient.maps[:] += by_maps
        gradient.corrections[:] += self.priors.corrections * found.corrections
        gradient.biases[:] += by_biases
        of_corrections = 0.5 * self.priors.corrections * np.sum(found.corrections**2)
        return of_maps + float(of_corrections) + of_biases

    def _penalise_maps(self, maps: Floats) -> tuple[float, Floats]:
        """The maps' share of the loss, and its gradient."""
        n_factors, strict = self.shape[1], self.priors.multiples
        means = np.trace(maps, axis1=1, axis2=2) / n_factors
        beyond = means - self.priors.multiple
        away = maps - means[:, None, None] * np.eye(n_factors)
        value = 0.5 * (np.sum(self._of_maps * away**2) + strict * np.sum(beyond**2))
        by_means = strict / n_factors * beyond[:, None, None] * np.eye(n_factors)
        return float(value), np.asarray(self._of_maps * away + by_means, np.float64)


def _logistic(log_odds: Floats, happened: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Negative log-likelihood of outcomes, and its derivative by each one's log-odds."""
    loss = np.logaddexp(0.0, log_odds).sum() - log_odds[happened].sum()
    return float(loss), 0.5 * (1.0 + np.tanh(0.5 * log_odds)) - happened


def _log_odds(share: float) -> float:
    kept = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(kept / (1 - kept)))
