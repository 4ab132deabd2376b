"""The fit: from a model and a log of responses to what they teach of items."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, minimize
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from embeddings.appeal import Appeal
from embeddings.model import Model
from training.appeal.evidence import Evidence, evidence_of
from training.appeal.impressions import Impressions
from training.appeal.loss import Loss, Parameters
from training.appeal.priors import Floats, Priors
from training.threads import workers

MIDDLE, SPREAD = 0.5, 0.25
"""Where the interest of an average impression, and one standard deviation, lie as a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealRule:
    """When and how hard to learn from responses.

    Parameters
    ----------
    max_cardholders : int
        Responses of more are not read.
    min_impressions, min_taken_up : int
        Fewer than these teach nothing.
    max_impressions : int
        More than these are thinned by whole cardholders.
    iterations : int
    priors : Priors
    """

    max_cardholders: int = 50_000
    min_impressions: int = 1000
    min_taken_up: int = 50
    max_impressions: int = 300_000
    iterations: int = 80
    priors: Priors = field(default_factory=Priors)


def learn(
    model: Model, seen: Impressions, rule: AppealRule | None = None, n_threads: int = 0
) -> Appeal | None:
    """What impressions teach of the items of a model's catalogue.

    The same for the same input, whatever the number of threads.

    Parameters
    ----------
    model : Model
    seen : Impressions
    rule : AppealRule, optional
    n_threads : int
        0 for all cores.

    Returns
    -------
    Appeal, or None when there are too few responses to learn from
    """
    rule = rule or AppealRule()
    seen = thinned(seen, rule)
    if len(seen) < rule.min_impressions or int(seen.taken_up.sum()) < rule.min_taken_up:
        return None
    with threadpool_limits(1, "blas"):
        return fitted(evidence_of(model, seen, n_threads), rule, n_threads)


def thinned(seen: Impressions, rule: AppealRule) -> Impressions:
    """At most ``max_impressions``: those of the first cardholders, who are in order of a hash."""
    if len(seen) <= rule.max_impressions:
        return seen
    last = seen.cardholders[rule.max_impressions]
    return seen.where(seen.cardholders < last)


def fitted(evidence: Evidence, rule: AppealRule, n_threads: int = 0) -> Appeal:
    """The appeal that explains the evidence best, on the scale of scores."""
    with ThreadPoolExecutor(workers(n_threads)) as pool:
        loss = Loss(evidence, rule.priors, pool.map)
        return _as_scores(best_of(loss, rule.iterations), loss)


def best_of(loss: Loss, iterations: int) -> Parameters:
    """Parameters of the least loss, or as near as so many steps of L-BFGS come."""
    start, step, bounds = loss.start().flat(), loss.steps().flat(), loss.bounds()

    def stepped(moved: Floats) -> tuple[float, Floats]:
        value, gradient = loss(start + step * moved)
        return value, step * gradient

    found = minimize(
        stepped,
        np.zeros_like(start),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds((bounds.lb - start) / step, (bounds.ub - start) / step),
        options={"maxiter": iterations},
    )
    return Parameters.of(start + step * np.asarray(found.x, np.float64), loss.shape)


def _as_scores(found: Parameters, loss: Loss) -> Appeal:
    """The same order of items on the scale of ``x·y``: an average impression ½, its spread ¼."""
    interest, lens = loss.interest(found), loss.evidence.lens
    scale = SPREAD / max(float(interest.std()), 1e-9)
    traits = loss.foretold.weights(found.biases) * scale
    traits[0] += MIDDLE - scale * float(interest.mean())
    size = scale / loss.evidence.length
    return Appeal(
        (lens @ found.maps @ lens.T * size).astype(np.float32),
        traits.astype(np.float32),
        (found.corrections @ lens.T * size).astype(np.float32),
        (loss.foretold.beyond(found.biases) * scale).astype(np.float32),
    )
