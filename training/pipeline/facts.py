"""What the gate must know, read off the matrix, the evaluation and the bundle in use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embeddings.bundle import Bundle
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.assembly import Table
from training.contest import CURRENT, POPULAR, PRODUCT, Contest
from training.gate import DataFacts, Figures, Signal
from training.matrix import Inputs, Survey
from training.sums import sum_per_column, sum_per_row

NO_ITEM = (
    "the catalogue holds no benefit and no offer: nothing is learned of items, and a service "
    "without a catalogue of its own (`recsvc catalog import`) has nothing to recommend; check "
    "--catalog"
)


def warnings_of(inputs: Inputs) -> tuple[str, ...]:
    """What a run tells of its input, though it may be meant so; one sentence each."""
    return () if len(inputs.catalog) else (NO_ITEM,)


def data_facts(table: Table, found: Survey, interactions: int) -> DataFacts:
    """What went into the matrix."""
    strength = table.matrix.strength
    days = found.last_day + 1 - found.first_day
    return DataFacts(
        interactions=interactions,
        cardholders=len(table.cardholders),
        columns=len(table.columns),
        cardholders_with_two=int(np.count_nonzero(np.diff(strength.indptr) >= 2)),
        transactions_per_day=round(found.transactions / days, 3),
        category_shares=_shares(strength, table.columns),
    )


def _of_kind(columns: Vocabulary, kind: ColumnKind) -> NDArray[np.int64]:
    prefix = column_id(kind, "")
    return np.array([r for r, c in enumerate(columns) if c.startswith(prefix)], np.int64)


def _shares(strength: sparse.csr_matrix, columns: Vocabulary) -> dict[str, float]:
    rows = _of_kind(columns, ColumnKind.CATEGORY)
    sums = sum_per_column(strength)[rows]
    total = float(sums.sum()) or 1.0
    named = zip(columns.ids(rows), sums, strict=True)
    return {name: round(float(value) / total, 6) for name, value in sorted(named)}


def largest_cardholder(table: Table) -> Signal:
    """The cardholder with the most signal; his share of everyone's."""
    sums = sum_per_row(table.matrix.strength)
    return _largest(sums, table.cardholders, np.arange(sums.size))


def largest_merchant(table: Table) -> Signal:
    """The merchant with the most signal; its share of all merchants'."""
    rows = _of_kind(table.columns, ColumnKind.MERCHANT)
    return _largest(sum_per_column(table.matrix.strength)[rows], table.columns, rows)


def _largest(
    sums: NDArray[np.float64], names: Vocabulary, rows: NDArray[np.integer[Any]]
) -> Signal:
    if sums.size == 0:
        return Signal("nobody", 0.0)
    most = int(sums.argmax())
    return Signal(names.id(int(rows[most])), float(sums[most] / sums.sum()))


def facts_before(current: Bundle | None) -> DataFacts | None:
    """What went into the bundle in use; None when it does not say."""
    told = None if current is None else current.manifest.figures.get("data")
    return None if told is None else DataFacts.from_document(told)


def gate_figures(contest: Contest, current: Bundle | None) -> Figures:
    """What the gate must know of the evaluation."""
    task = contest.judged
    ours, popular = contest.figures(PRODUCT), contest.figures(POPULAR)
    if ours is None or popular is None:
        raise ValueError("the contest lacks the product or most-popular")
    lead = contest.leads[task].get(CURRENT)
    return Figures(
        k=contest.k,
        cardholders=ours.overall.cardholders,
        recall=ours.recall,
        popular_recall=popular.recall,
        coverage=ours.coverage,
        against_current=None if lead is None else lead[1:],
        recall_before=_recall_before(current, contest.k, task.value),
    )


def _recall_before(current: Bundle | None, k: int, task: str) -> float | None:
    """Recall the bundle in use had when it was judged, at the same k and task."""
    figures = {} if current is None else current.manifest.figures
    if figures.get("k") != k:
        return None
    told = figures.get("evaluation", {}).get(task, {}).get(PRODUCT, {}).get("recall")
    return None if told is None else float(told)
