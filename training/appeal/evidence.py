"""Cardholders and items as the fit sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.appeal import traits_of
from embeddings.compose import Composition
from embeddings.model import History, Model
from embeddings.vocabulary import ColumnKind, split_column_id
from training.appeal.impressions import Impressions
from training.appeal.lens import lens_of
from training.solver import solve_rows

LENS_CARDHOLDERS = 20_000
"""So many say which directions to trust; rows are in the order of a hash, so they are a sample."""

CARDHOLDERS_AT_ONCE = 20_000

ITEM_KINDS = (ColumnKind.BENEFIT, ColumnKind.OFFER)


@dataclass(frozen=True, slots=True, eq=False)
class ItemSide:
    """What is known of each item of the catalogue before anyone sees it.

    Parameters
    ----------
    merchants, categories : float64, shape (n_items, n_factors)
        Directions (:class:`embeddings.appeal.Setting`), seen through the lens.
    traits : float64, shape (n_items, n_traits)
    """

    merchants: NDArray[np.float64]
    categories: NDArray[np.float64]
    traits: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Impressions beside the vectors of who saw and what was seen.

    Parameters
    ----------
    seen : Impressions
        Viewer by viewer, those who saw fewer items first.
    tastes : float64, shape (n_viewers, n_factors)
        Vector of each cardholder with an impression, seen through the lens, of mean square length
        1 over the impressions.
    viewers : int64, shape (n_impressions,)
        Row in ``tastes`` of each impression's cardholder, ascending.
    items : ItemSide
    lens : float64, shape (n_factors, n_factors)
        From vectors to coordinates of the fit (:func:`training.appeal.lens.lens_of`).
    length : float
        What the vectors were divided by after it, above 0.
    """

    seen: Impressions
    tastes: NDArray[np.float64]
    viewers: NDArray[np.int64]
    items: ItemSide
    lens: NDArray[np.float64]
    length: float


def evidence_of(model: Model, seen: Impressions, n_threads: int) -> Evidence:
    """Evidence of a model's impressions.

    The cardholders' vectors are those of their card usage alone: a vector that already knows that
    he took an offer up would make the offer look as if it had drawn him by his taste.
    """
    rows, viewers, times = np.unique(seen.cardholders, return_inverse=True, return_counts=True)
    vectors = usage_vectors(model, rows, n_threads)
    sample = rows[:LENS_CARDHOLDERS]
    halves = (usage_vectors(model, sample, n_threads, half=half) for half in (0, 1))
    lens = lens_of(vectors[: sample.size], *halves)
    order = np.argsort(times, kind="stable")
    tastes = vectors[order] @ lens
    length = float(np.sqrt(times[order] @ np.sum(tastes**2, axis=1) / len(seen))) or 1.0
    tastes /= length
    viewers = np.argsort(order)[viewers]
    by_viewer = np.argsort(viewers, kind="stable")
    seen, viewers = seen.where(by_viewer), viewers[by_viewer]
    return Evidence(seen, tastes, viewers, item_side(model, lens), lens, length)


def item_side(model: Model, lens: NDArray[np.float64]) -> ItemSide:
    """Directions and traits of all items of the model's catalogue."""
    composer = model.composer(Composition())
    settings = [composer.setting(item) for item in model.catalog.items]
    pairs = zip(model.catalog.items, settings, strict=True)
    return ItemSide(
        np.array([setting.merchants for setting in settings], np.float64) @ lens,
        np.array([setting.categories for setting in settings], np.float64) @ lens,
        np.array([traits_of(item, setting) for item, setting in pairs], np.float64),
    )


def usage_vectors(
    model: Model, cardholders: NDArray[np.int64], n_threads: int, *, half: int | None = None
) -> NDArray[np.float32]:
    """Fold-in of some cardholders' histories without their responses to items.

    Parameters
    ----------
    model : Model
    cardholders : int64, shape (n,)     rows of the model
    n_threads : int
    half : 0, 1 or None
        Every other cell alone, from the first or from the second on; None for all. Columns are
        in the order of a keyed hash, so the halves are drawn by chance.

    Returns
    -------
    float32, shape (n, n_factors)
    """
    factors = model.factors
    of_usage = np.array([split_column_id(name)[0] not in ITEM_KINDS for name in model.columns])
    found = np.empty((cardholders.size, factors.n_factors), np.float32)
    met = 0
    for start in range(0, cardholders.size, CARDHOLDERS_AT_ONCE):
        part = slice(start, start + CARDHOLDERS_AT_ONCE)
        cells = _cells(model.history, cardholders[part])
        kept = of_usage[cells[0]]
        n_kept = int(np.count_nonzero(kept))
        if half is not None:
            kept &= (met + np.cumsum(kept) + half) % 2 == 1
        matrix, met = _confidence(model, *cells, kept), met + n_kept
        found[part] = solve_rows(matrix, factors.columns, factors.gram, factors.step, n_threads)
    return found


def _confidence(
    model: Model,
    rows: NDArray[np.int32],
    strength: NDArray[np.float32],
    sizes: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> sparse.csr_matrix:
    """Confidence of the cells that are kept, CSR of shape (n_cardholders, n_columns)."""
    factors = model.factors
    counts = np.diff(np.r_[0, np.cumsum(kept)][np.r_[0, np.cumsum(sizes)]])
    rows, strength = rows[kept], strength[kept]
    confidence = factors.step.confidence(
        strength, factors.column_scale[rows], np.repeat(counts, counts)
    )
    cells = (confidence, rows, np.r_[0, np.cumsum(counts)])
    return sparse.csr_matrix(cells, shape=(sizes.size, len(model.columns)))


def _cells(
    history: History, cardholders: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Columns and strengths of some cardholders, one after the other, and how many each has."""
    starts = history.indptr[cardholders]
    sizes = history.indptr[cardholders + 1] - starts
    ends = np.cumsum(sizes)
    at = np.arange(int(sizes.sum())) + np.repeat(starts - (ends - sizes), sizes)
    return np.asarray(history.rows[at]), np.asarray(history.strength[at]), sizes
