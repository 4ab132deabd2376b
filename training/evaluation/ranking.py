"""From scores to lists: the full catalogue, masked by the task, ties decided by column."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from training.evaluation.trial import Scorer, Task, Trial, ones_of
from training.threads import workers

NOBODY = -1
CELLS_PER_PART = 500_000
STRETCHES = 8
"""Stretches of a row for each place of the list: enough that few more than k scores are sorted."""

Part = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]
"""Shown columns, their scores and hits of some cardholders."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Faced:
    """Who has anything to find, and what: looked up once for all models.

    Parameters
    ----------
    rows : int64, shape (n,)                  cardholder rows, ascending
    seen : CSR, shape (n, n_catalogue)        stored cells: what each of them saw
    targets : dict of task to CSR of the same shape
    """

    rows: NDArray[np.int64]
    seen: sparse.csr_matrix
    targets: dict[Task, sparse.csr_matrix]

    @classmethod
    def of(cls, trial: Trial, tasks: Sequence[Task]) -> Self:
        """Those who have a target in at least one of the tasks."""
        targets = {task: trial.targets(task) for task in tasks}
        has_any = np.any([np.diff(wanted.indptr) > 0 for wanted in targets.values()], axis=0)
        rows = np.flatnonzero(has_any)
        of_rows = {task: wanted[rows] for task, wanted in targets.items()}
        return cls(rows, ones_of(trial.seen)[rows], of_rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Stored cells of some neighbouring rows: int64, shape (n_cells,), and how many each row has.

    In ascending order of (row, column); rows count from the first of them.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, table: sparse.csr_matrix, rows: slice) -> Self:
        bounds = table.indptr[rows.start : rows.stop + 1].astype(np.int64)
        sizes = np.diff(bounds)
        column = table.indices[bounds[0] : bounds[-1]].astype(np.int64)
        return cls(np.repeat(np.arange(sizes.size), sizes), column, sizes)


def rank(
    scorer: Scorer,
    trial: Trial,
    tasks: Sequence[Task] | Faced,
    k: int,
    n_threads: int = 1,
    cells_per_part: int = CELLS_PER_PART,
) -> dict[Task, Lists]:
    """Lists of all cardholders who have a target, for each task; everyone is scored once.

    Parameters
    ----------
    scorer : Scorer
        One that several threads may ask at once, unless ``n_threads`` is 1.
    trial : Trial
    tasks : sequence of Task, or Faced of the trial
    k : int, at least 1
    n_threads : int
        0 for all cores; the lists do not depend on it.
    cells_per_part : int
        Scores that a thread holds at once.

    Raises
    ------
    ValueError
        A scorer whose scores are not finite or of another shape.
    """
    who = tasks if isinstance(tasks, Faced) else Faced.of(trial, tasks)

    def ranked(rows: slice) -> dict[Task, Part]:
        scores, seen = _scores(scorer, who.rows[rows], trial), _Cells.of(who.seen, rows)
        return {
            task: _part(scores, seen, _Cells.of(wanted, rows), task, k)
            for task, wanted in who.targets.items()
        }

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers(n_threads)) as pool:
        parts = list(pool.map(ranked, _parts(who.rows.size, trial, cells_per_part)))
    return {
        task: _lists(who.rows, wanted, [part[task] for part in parts], k)
        for task, wanted in who.targets.items()
    }


def _parts(n_rows: int, trial: Trial, n_cells: int) -> Iterator[slice]:
    step = max(1, n_cells // max(trial.n_catalogue, 1))
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def _scores(scorer: Scorer, rows: NDArray[np.int64], trial: Trial) -> NDArray[np.float32]:
    """Scores of some cardholders; ValueError when they are not what a scorer promises."""
    scores = np.asarray(scorer.scores(rows), np.float32)
    if scores.shape != (rows.size, trial.n_catalogue) or not np.isfinite(scores).all():
        raise ValueError(f"{type(scorer).__name__}: scores of shape {scores.shape} or not finite")
    return scores


def _part(scores: NDArray[np.float32], seen: _Cells, targets: _Cells, task: Task, k: int) -> Part:
    """Lists of those cardholders of a part who have a target in this task."""
    shown = _shown(scores, seen, task, k)
    real = shown >= 0
    safe = np.where(real, shown, 0)
    values = np.where(real, np.take_along_axis(scores, safe, axis=1), np.float32(0))
    hits = _membership(safe, targets, scores.shape[1]) & real
    faced = targets.sizes > 0
    return shown[faced], values[faced], hits[faced]


def _shown(scores: NDArray[np.float32], seen: _Cells, task: Task, k: int) -> NDArray[np.int32]:
    """The best columns of each row that the task asks about."""
    if task is Task.REPEAT:
        of_seen = scores[seen.row, seen.column]
        return best_cells(seen.row, seen.column, of_seen, scores.shape[0], k)
    if task is Task.NEW:
        scores = scores.copy()
        scores[seen.row, seen.column] = -np.inf
    return top_k(scores, k)


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
    n_rows, n_columns = scores.shape
    least = np.maximum(_reached(scores, k), np.finfo(np.float32).min)
    cells = np.flatnonzero(scores >= least)
    row, column = np.divmod(cells, n_columns)
    return best_cells(row, column, scores.ravel()[cells], n_rows, k)


def _reached(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """What at least k scores of each row reach, and few more; the lowest of a row with fewer.

    Of many stretches of a row take the best score each: k stretches reach the k-th best of these.
    """
    n_rows, n_columns = scores.shape
    stretches = STRETCHES * k
    if n_columns < 2 * stretches:
        last = max(n_columns - k, 0)
        return np.partition(scores, last, axis=1)[:, last : last + 1]
    whole = n_columns - n_columns % stretches
    best = scores[:, :whole].reshape(n_rows, -1, stretches).max(axis=1)
    rest = best[:, : n_columns - whole]
    np.maximum(rest, scores[:, whole:], out=rest)
    last = stretches - k
    return np.partition(best, last, axis=1)[:, last : last + 1]


def best_cells(
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    score: NDArray[np.float32],
    n_rows: int,
    k: int,
) -> NDArray[np.int32]:
    """Columns of the largest of each row's cells, best first; ties by ascending column.

    Parameters
    ----------
    row, column : integers, shape (n_cells,)    in ascending order of (row, column)
    score : float32, shape (n_cells,)
    n_rows, k : int

    Returns
    -------
    int32, shape (n_rows, k); -1 where a row has fewer than k cells
    """
    order = np.lexsort((-score, row))
    starts = np.searchsorted(row, np.arange(n_rows))
    place = np.arange(row.size) - starts[row]
    kept = place < k
    found = np.full((n_rows, k), NOBODY, np.int32)
    found[row[kept], place[kept]] = column[order[kept]]
    return found


def _membership(shown: NDArray[np.int32], targets: _Cells, width: int) -> NDArray[np.bool_]:
    """Whether each shown column is a target of its row."""
    keys = np.append(targets.row * width + targets.column, np.iinfo(np.int64).max)
    asked = np.arange(shown.shape[0], dtype=np.int64)[:, None] * width + shown
    return np.asarray(keys[np.searchsorted(keys, asked)] == asked, np.bool_)


def _lists(
    rows: NDArray[np.int64], targets: sparse.csr_matrix, parts: Sequence[Part], k: int
) -> Lists:
    """All parts of one task together."""
    nothing = (np.empty((0, k), np.int32), np.empty((0, k), np.float32), np.empty((0, k), np.bool_))
    shown, scores, hits = (np.concatenate(c) for c in zip(*[nothing, *parts], strict=True))
    n_targets = np.diff(targets.indptr).astype(np.int64)
    faced = n_targets > 0
    return Lists(rows[faced], shown, scores, hits, n_targets[faced])
