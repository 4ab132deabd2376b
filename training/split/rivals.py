"""The bundle in use as a rival of the new model."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.bundle import Bundle
from embeddings.factors import Factors
from embeddings.vocabulary import Vocabulary
from training.matrix import EPOCH
from training.solver import solve_rows
from training.weighting import ModelParameters


@dataclass(frozen=True, slots=True, eq=False)
class BundleScorer:
    """A published bundle on a split it has never seen: its columns, the train histories.

    Parameters
    ----------
    factors : Factors
        Cardholder rows are the trial's, folded in.
    rows : int64, shape (n_catalogue,)
        Column of each merchant of the catalogue in the bundle, -1 where it knows none.
    """

    factors: Factors
    rows: NDArray[np.int64]

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products; 0 for merchants it does not know."""
        vectors = self.factors.columns[np.maximum(self.rows, 0)] * (self.rows >= 0)[:, None]
        found: NDArray[np.float32] = self.factors.cardholders[rows] @ vectors.T.astype(np.float32)
        return found


def ends_before(bundle: Bundle, day: int) -> bool:
    """Whether all usage the bundle was trained on lies before a day."""
    return bundle.manifest.window.ends_at <= EPOCH + timedelta(day)


def scorer_of(
    bundle: Bundle, strength: sparse.csr_matrix, columns: Vocabulary, merchants: NDArray[np.int32]
) -> BundleScorer:
    """Fold the train histories into the columns of a published bundle."""
    model = bundle.model
    rows, known = model.columns.rows(list(columns))
    place = np.where(known, rows, -1).astype(np.int64)
    kept = strength[:, np.flatnonzero(known)].tocsr()
    inner = (kept.data, rows[known][kept.indices], kept.indptr)
    histories = sparse.csr_matrix(inner, shape=(strength.shape[0], len(model.columns)))
    histories.sort_indices()
    vectors = np.asarray(model.factors.columns)
    confidence = _confidence(histories, model.factors)
    folded = solve_rows(confidence, vectors, np.asarray(model.factors.gram), model.factors.step)
    factors = Factors(
        folded, vectors, model.factors.column_scale, model.factors.step, model.factors.gram
    )
    return BundleScorer(factors, place[merchants])


def _confidence(histories: sparse.csr_matrix, factors: Factors) -> sparse.csr_matrix:
    """Confidence of histories by the bundle's own scale and step."""
    per_row = np.diff(histories.indptr)
    values = factors.step.confidence(
        histories.data, factors.column_scale[histories.indices], np.repeat(per_row, per_row)
    )
    return sparse.csr_matrix((values, histories.indices, histories.indptr), shape=histories.shape)


def parameters_of(bundle: Bundle) -> ModelParameters | None:
    """Parameters a bundle was trained with; None when this code cannot read them."""
    known: dict[str, Any] = {k: v for k, v in bundle.manifest.parameters.items() if k != "seed"}
    try:
        return ModelParameters.from_document(known)
    except (ValueError, TypeError, KeyError):
        return None
