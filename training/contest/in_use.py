"""The bundle in use as a rival of the new model."""

from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.blend import Blend
from embeddings.bundle import Bundle
from embeddings.factors import Factors
from embeddings.vocabulary import Vocabulary
from training.matrix import EPOCH
from training.scoring import ProductScorer, product_scorer
from training.solver import solve_rows
from training.split import Split
from training.weighting import ModelParameters

BEFORE_KNOWN_WEIGHT = {"known_weight": 0.0}
"""What bundles of the time before this weight were scored with."""


def ends_before(bundle: Bundle, day: int) -> bool:
    """Whether all usage the bundle was trained on lies before a day."""
    return bundle.manifest.window.ends_at <= EPOCH + timedelta(day)


def scorer_of(bundle: Bundle, split: Split, columns: Vocabulary, blend: Blend) -> ProductScorer:
    """A published bundle on a split it has never seen: its columns, the train histories folded in.

    Merchants it does not know have a zero vector; habit and trend are the split's.
    """
    known_rows, known = bundle.model.columns.rows(list(columns))
    factors = bundle.model.factors
    histories = _histories(split.train.strength, known_rows, known, len(bundle.model.columns))
    vectors = np.asarray(factors.columns)
    folded = solve_rows(
        _confidence(histories, factors), vectors, np.asarray(factors.gram), factors.step
    )
    catalogue = vectors[known_rows[split.merchants]] * known[split.merchants][:, None]
    shown = Factors(
        folded, catalogue.astype(np.float32), factors.column_scale, factors.step, factors.gram
    )
    return product_scorer(shown, np.arange(len(catalogue)), blend, split.trial)


def _histories(
    strength: sparse.csr_matrix, rows: NDArray[np.int32], known: NDArray[np.bool_], n_columns: int
) -> sparse.csr_matrix:
    """The train histories in the bundle's own columns; what it does not know is left out."""
    kept = strength[:, np.flatnonzero(known)].tocsr()
    cells = (kept.data, rows[known][kept.indices], kept.indptr)
    histories = sparse.csr_matrix(cells, shape=(strength.shape[0], n_columns))
    histories.sort_indices()
    return histories


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
    if isinstance(blend := known.get("blend"), dict):
        known["blend"] = {**BEFORE_KNOWN_WEIGHT, **blend}
    try:
        return ModelParameters.from_document(known)
    except (ValueError, TypeError, KeyError):
        return None
