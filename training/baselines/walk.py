"""RP3beta: three steps of a random walk, popular merchants held back.

Paudel et al. 2017, *Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
Applications*; among the strongest in Anelli et al. 2023.
"""

import numpy as np
from scipy import sparse

from training.baselines.neighbours import ItemGraph, item_graph
from training.baselines.tables import Growth, grown, row_normalised, strongest
from training.evaluation.trial import Trial


def rp3beta(trial: Trial, *, beta: float, neighbours: int, growth: Growth) -> ItemGraph:
    """Walk merchant → cardholder → merchant, divided by popularity to the power ``beta``.

    Parameters
    ----------
    trial : Trial
    beta : float
        0 is the plain walk.
    neighbours : int
        Kept of each merchant, at least 1.
    growth : Growth
    """
    history = grown(trial.seen, growth)
    walk = row_normalised(history.T.tocsr()) @ row_normalised(history)
    popularity = np.bincount(history.indices, minlength=trial.n_catalogue)
    held_back = np.power(np.maximum(popularity, 1).astype(np.float64), -beta)
    links = sparse.csr_matrix(walk @ sparse.diags_array(held_back))
    links.setdiag(0)
    links.eliminate_zeros()
    return item_graph(trial, history, strongest(links, neighbours).astype(np.float32))
