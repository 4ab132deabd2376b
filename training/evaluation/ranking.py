"""From scores to lists: the full catalogue, masked by the task, ties decided by column."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.evaluation.trial import Scorer, Task, Trial, ones_of

NOBODY = -1
CELLS_PER_CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """What a model shows to each cardholder with something to find.

    Parameters
    ----------
    rows : int64, shape (n,)             cardholder rows, ascending
    shown : int32, shape (n, k)          catalogue columns best first, -1 past the candidates
    scores : float32, shape (n, k)       of what is shown, 0 past the candidates
    hits : bool, shape (n, k)            whether the shown column is a target
    n_targets : int64, shape (n,)        at least 1
    """

    rows: NDArray[np.int64]
    shown: NDArray[np.int32]
    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    n_targets: NDArray[np.int64]

    @property
    def k(self) -> int:
        """Length of the lists."""
        return int(self.shown.shape[1])


def top_k(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Columns of the largest scores, best first; ties by ascending column.

    Parameters
    ----------
    scores : float32, shape (n, m); ``-inf`` for what may not be shown
    k : int, at least 1

    Returns
    -------
    int32, shape (n, k); -1 where fewer than k may be shown
    """
    k_found = min(k, scores.shape[1])
    cut = -np.partition(-scores, k_found - 1, axis=1)[:, k_found - 1 : k_found]
    found = np.full((scores.shape[0], k), NOBODY, np.int32)
    for row, line in enumerate(scores):
        likely = np.flatnonzero((line >= cut[row]) & np.isfinite(line))
        best = likely[np.argsort(-line[likely], kind="stable")[:k]]
        found[row, : best.size] = best
    return found


def rank(scorer: Scorer, trial: Trial, task: Task, k: int) -> Lists:
    """Lists of all cardholders who have a target.

    Raises
    ------
    ValueError
        A scorer whose scores are not finite or of another shape.
    """
    targets = trial.targets(task)
    seen = ones_of(trial.seen)
    rows = np.flatnonzero(np.diff(targets.indptr)).astype(np.int64)
    parts = [_rank_part(scorer, part, seen, targets, task, k) for part in _parts(rows, trial)]
    empty = (np.empty((0, k), np.int32), np.empty((0, k), np.float32), np.empty((0, k), np.bool_))
    shown, scores, hits = (np.concatenate(column) for column in zip(*[empty, *parts], strict=True))
    n_targets = np.diff(targets.indptr)[rows].astype(np.int64)
    return Lists(rows, shown, scores, hits, n_targets)


def _parts(rows: NDArray[np.int64], trial: Trial) -> Iterator[NDArray[np.int64]]:
    step = max(1, CELLS_PER_CHUNK // max(trial.n_catalogue, 1))
    return (rows[start : start + step] for start in range(0, rows.size, step))


def _rank_part(
    scorer: Scorer,
    rows: NDArray[np.int64],
    seen: sparse.csr_matrix,
    targets: sparse.csr_matrix,
    task: Task,
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]:
    """Shown columns, their scores and hits for some cardholders."""
    scores = np.array(scorer.scores(rows), np.float32)
    if scores.shape != (rows.size, seen.shape[1]) or not np.isfinite(scores).all():
        raise ValueError(f"{type(scorer).__name__}: scores of shape {scores.shape} or not finite")
    _mask(scores, seen[rows], task)
    shown = top_k(scores, k)
    real = shown >= 0
    safe = np.where(real, shown, 0)
    values = np.where(real, np.take_along_axis(scores, safe, axis=1), np.float32(0))
    wanted = _membership(safe, targets[rows])
    return shown, values, wanted & real


def _mask(scores: NDArray[np.float32], seen: sparse.csr_matrix, task: Task) -> None:
    """Put ``-inf`` on what the task does not ask about."""
    at = (np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), seen.indices)
    if task is Task.NEW:
        scores[at] = -np.inf
    elif task is Task.REPEAT:
        kept = scores[at]
        scores[:] = -np.inf
        scores[at] = kept


def _membership(shown: NDArray[np.int32], targets: sparse.csr_matrix) -> NDArray[np.bool_]:
    """Whether each shown column is a target of its row."""
    width = targets.shape[1]
    row_of = np.repeat(np.arange(targets.shape[0], dtype=np.int64), np.diff(targets.indptr))
    keys = row_of * width + targets.indices
    asked = np.arange(shown.shape[0], dtype=np.int64)[:, None] * width + shown
    return np.isin(asked, keys)
