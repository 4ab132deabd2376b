"""ItemKNN of ``implicit``: what those who have what he has also have."""

import warnings
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from implicit.utils import ParameterWarning
from numpy.typing import NDArray
from scipy import sparse

from training.baselines.popular import counts
from training.baselines.tables import Growth, grown
from training.evaluation.trial import Trial


class Similarity(StrEnum):
    """How alike two merchants are."""

    COSINE = "cosine"
    TFIDF = "tfidf"
    BM25 = "bm25"


TINY = 1e-6

SETTINGS: dict[Similarity, dict[str, float]] = {
    Similarity.COSINE: {},
    Similarity.TFIDF: {},
    Similarity.BM25: {"K1": 100.0, "B": 0.2},
}
"""BM25's own defaults are for documents; on card usage they lose a quarter of the recall."""

RECOMMENDERS = {
    Similarity.COSINE: CosineRecommender,
    Similarity.TFIDF: TFIDFRecommender,
    Similarity.BM25: BM25Recommender,
}


@dataclass(frozen=True, slots=True, eq=False)
class ItemGraph:
    """Scores are the history times a table of merchant to merchant.

    Parameters
    ----------
    history : CSR float32, shape (n_cardholders, n_catalogue)
    links : CSR or dense float32, shape (n_catalogue, n_catalogue)
        How much having the row speaks for the column.
    filler : float32, shape (n_catalogue,)
        Popularity, small against any link: what those get whose history says nothing.
    """

    history: sparse.csr_matrix
    links: sparse.csr_matrix | NDArray[np.float32]
    filler: NDArray[np.float32]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores, float32, shape (len(rows), n_catalogue)."""
        found = self.history[rows] @ self.links
        dense = found.toarray() if sparse.issparse(found) else found
        return np.asarray(dense + self.filler, np.float32)


def item_graph(
    trial: Trial,
    history: sparse.csr_matrix,
    links: sparse.csr_matrix | NDArray[np.float32],
) -> ItemGraph:
    """Graph of a trial, filled up with what is recently popular."""
    recent = counts(trial, 60.0)
    filler = TINY * recent / max(float(recent.max(initial=0.0)), 1.0)
    return ItemGraph(history, links, filler.astype(np.float32))


def item_knn(trial: Trial, similarity: Similarity, *, neighbours: int, growth: Growth) -> ItemGraph:
    """Item neighbours by ``implicit``.

    Parameters
    ----------
    trial : Trial
    similarity : Similarity
    neighbours : int
        Kept of each merchant, at least 1.
    growth : Growth
        From the strength of a cell to its weight.
    """
    history = grown(trial.seen, growth)
    model = RECOMMENDERS[similarity](K=neighbours + 1, num_threads=1, **SETTINGS[similarity])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # about a conversion of its own making
        model.fit(history.astype(np.float64), show_progress=False)
    return item_graph(trial, history, sparse.csr_matrix(model.similarity, dtype=np.float32))
