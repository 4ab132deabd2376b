"""How badly parameters explain impressions, and in which direction they would do better.

Two outcomes of one interest ``z``: an item is taken up with log-odds ``z`` and looked into with
``level + slope·z``; the click is the commoner, so it tells more of tastes, and its slope is learned
beside the rest, within 0 and 1: were it free, clicks could be learned by heart at no cost, with a
steep slope and an interest too small for the prior to see.

What responses cannot decide stays near the ``priors``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.optimize import Bounds

from training.appeal.evidence import Evidence
from training.appeal.priors import Floats, Foretold, Priors
from training.appeal.viewers import Share, shares_of

CLICK_SLOPE = (0.0, 1.0)
UNCERTAIN = 0.2
"""``p(1 - p)`` of a usual outcome, for the size of steps only."""

Part = tuple[float, Floats, Floats, Floats]
"""Loss of a share, and its gradient by the items' vectors, their biases and the click."""

Each = Callable[[Callable[[Share], Part], Iterable[Share]], Iterable[Part]]
"""``map``, or that of a pool of threads."""


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


class Loss:
    """Penalised negative log-likelihood and its gradient, for a minimiser.

    Parameters
    ----------
    evidence : Evidence
    priors : Priors
    each : callable, optional
        How the shares of the impressions are gone through; their sums do not depend on it.
    """

    def __init__(self, evidence: Evidence, priors: Priors, each: Each = map) -> None:
        self.evidence, self.priors, self._each = evidence, priors, each
        self.shape = evidence.items.merchants.shape
        self._of_maps = priors.of_maps(self.shape[1])
        self._times = np.bincount(evidence.seen.items, minlength=self.shape[0]).astype(np.float64)
        self._shares = shares_of(evidence.seen, evidence.viewers, evidence.tastes)
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
        vectors = self._vectors(found)
        return np.concatenate([one.interest(vectors, found.biases) for one in self._shares])

    def _vectors(self, found: Parameters) -> Floats:
        """Vector of each item, shape (n_items, n_factors)."""
        side = self.evidence.items
        vectors = side.merchants @ found.maps[0].T + side.categories @ found.maps[1].T
        vectors += found.corrections
        return np.asarray(vectors, np.float64)

    def __call__(self, flat: Floats) -> tuple[float, Floats]:
        """Loss and gradient at these parameters."""
        found, side = Parameters.of(flat, self.shape), self.evidence.items
        vectors = self._vectors(found)

        def part(share: Share) -> Part:
            return _part(share, vectors, found.biases, found.click)

        value, by_vectors, by_biases, by_click = reduce(_plus, self._each(part, self._shares))
        maps = np.stack([by_vectors.T @ side.merchants, by_vectors.T @ side.categories])
        gradient = Parameters(maps, by_vectors, by_biases, by_click)
        return value + self._penalise(found, gradient), gradient.flat()

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


def _part(share: Share, vectors: Floats, biases: Floats, click: Floats) -> Part:
    """Negative log-likelihood of a share's outcomes, and its gradient."""
    level, slope = click
    interest = share.interest(vectors, biases)
    taken, by_interest = _logistic(interest, share.taken_up)
    looked, by_click = _logistic(level + slope * interest, share.looked_into)
    by_vectors, by_biases = share.per_item(by_interest + slope * by_click, len(vectors))
    return taken + looked, by_vectors, by_biases, np.array([by_click.sum(), by_click @ interest])


def _plus(one: Part, other: Part) -> Part:
    """Two parts as one."""
    value, by_vectors, by_biases, by_click = other
    return one[0] + value, one[1] + by_vectors, one[2] + by_biases, one[3] + by_click


def _logistic(log_odds: Floats, happened: Floats) -> tuple[float, Floats]:
    """Negative log-likelihood of outcomes, and its derivative by each one's log-odds."""
    loss = np.maximum(log_odds, 0.0) + np.log1p(np.exp(-np.abs(log_odds)))
    by_log_odds = 0.5 * (1.0 + np.tanh(0.5 * log_odds)) - happened
    return float(loss.sum() - log_odds @ happened), by_log_odds


def _log_odds(share: float) -> float:
    kept = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(kept / (1 - kept)))
