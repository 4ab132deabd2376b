"""Splits of one usage table: rolling, each with the slice of its train part for tuning."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from embeddings.catalog import Catalog
from embeddings.vocabulary import Vocabulary
from training.config import EvaluationPlan
from training.evaluation.trial import Trial
from training.matrix import Inputs, spool_contacts, survey
from training.matrix.ledger import Bookkeeper, Ledger, ledger_of
from training.matrix.responses import CONTACT_SCHEMA
from training.split import EmptyPartError, Split, day_of, split, split_day
from training.usage import Table
from training.weighting import ModelParameters

HASH_KEY = b"comparison"
ANY_DAYS = EvaluationPlan()
Usage = tuple[Table, Ledger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is compared.

    Parameters
    ----------
    usage : Path
        A table of canonical card usage.
    split_at : tuple of date
        First UTC day of each test part, at least one.
    test_days : int or None
        Length of each test part; None for all that follows.
    min_cardholders : int
        Merchants that fewer cardholders met before the split are no part of the catalogue: a
        merchant of one cardholder cannot be recommended to another.
    max_cardholders : int
        More are sampled.
    """

    usage: Path
    split_at: tuple[date, ...]
    test_days: int | None = None
    min_cardholders: int = 2
    max_cardholders: int = 20_000

    def __post_init__(self) -> None:
        """Refuse a plan without a split or with an empty test part."""
        if not self.split_at:
            raise ValueError("split_at: give at least one date")
        if self.test_days is not None and self.test_days < 1:
            raise ValueError(f"test_days: {self.test_days} must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One split of a table.

    Parameters
    ----------
    outer : Split
        What is judged.
    inner : Split or None
        Its train part, split once more as long before, for choosing; None where too little lies
        before the split.
    cardholders : Vocabulary
        Of the rows of ``outer``.
    """

    outer: Split
    inner: Split | None
    cardholders: Vocabulary


def cuts(plan: Plan, model: ModelParameters) -> Iterator[Cut]:
    """Every split of the plan, in its order.

    Raises
    ------
    EmptyPartError
        A date with nothing before it or nothing after it.
    """
    with Bookkeeper() as keeper:
        usage = keeper.read(plan.usage), keeper.closed()
    for day in plan.split_at:
        end = None if plan.test_days is None else day + timedelta(plan.test_days)
        outer, names, last = _cut(usage, plan, model, day, end)
        length = timedelta(last - outer.day + 1 if end is None else plan.test_days or 1)
        yield Cut(outer, _inner(usage, plan, model, day - length, day), names)


def _inner(usage: Usage, plan: Plan, model: ModelParameters, day: date, end: date) -> Split | None:
    try:
        return _cut(usage, plan, model, day, end)[0]
    except EmptyPartError:
        return None


def _cut(
    usage: Usage, plan: Plan, model: ModelParameters, day: date, end: date | None
) -> tuple[Split, Vocabulary, int]:
    """Split of the usage before ``end``; names of its cardholders; its last day."""
    whole_usage = usage[1]
    if end is not None and end <= day_of(whole_usage.first_day):
        raise EmptyPartError(day, day_of(whole_usage.first_day), day_of(whole_usage.last_day))
    inputs = _usage_alone(*usage, end)
    found = survey(inputs, HASH_KEY)
    first = split_day(found, day, ANY_DAYS)
    with spool_contacts(inputs, found) as spool:
        whole = split(spool, found, None, model, day=first, max_cardholders=plan.max_cardholders)
    return with_catalogue(whole, plan.min_cardholders), found.cardholders, found.last_day


def _usage_alone(table: Table, ledger: Ledger, end: date | None) -> Inputs:
    """Inputs of a run that has nothing but card usage."""
    contacts = pl.DataFrame(schema=CONTACT_SCHEMA)
    if end is not None:
        kept = table.frame.filter(pl.col("occurred_at").dt.date() < end).collect()
        table = Table(kept.lazy())
        ledger = ledger_of(table)
    return Inputs((table,), ledger, contacts, None, Catalog(), "", 0, None)


def with_catalogue(whole: Split, min_cardholders: int) -> Split:
    """Keep only merchants that enough cardholders met before the split."""
    trial = whole.trial
    met = np.bincount(trial.seen.indices, minlength=trial.n_catalogue)
    kept = np.flatnonzero(met >= min_cardholders)
    wanted = trial.wanted[:, kept].tocsr()
    return replace(
        whole,
        merchants=whole.merchants[kept],
        unreachable=whole.unreachable + int(trial.wanted.nnz - wanted.nnz),
        trial=Trial(trial.seen[:, kept].tocsr(), wanted, trial.segments, _ages_of(trial, kept)),
    )


def _ages_of(trial: Trial, kept: NDArray[np.int64]) -> NDArray[np.float32]:
    """Ages of the kept columns' cells, in their new order; ages are at least a day, never 0."""
    dated = trial.seen.copy()
    dated.data = np.maximum(trial.ages(), np.float32(1e-3))
    return np.asarray(dated[:, kept].tocsr().data, np.float32)
