"""What the evaluation of a run sees: a sample of cardholders, split by time."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.config import EvaluationPlan
from training.errors import BadInputError
from training.evaluation.segments import activity, tenure
from training.evaluation.trial import Trial
from training.matrix import (
    Homes,
    Matrix,
    Spool,
    Survey,
    build,
    first_days,
    homes_of,
    visited_after,
)
from training.weighting import ModelParameters

EPOCH = date(1970, 1, 1)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What is told of a split once everyone is judged.

    Parameters
    ----------
    day : int
        First day of the test part, days since 1970-01-01 UTC.
    cardholders, merchants : int
        Judged, and shown to them.
    unreachable : int
        Pairs after ``day`` whose merchant nobody of the sample met before.
    """

    day: int
    cardholders: int
    merchants: int
    unreachable: int


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The train part as it is fitted, and the same as the evaluation sees it.

    Parameters
    ----------
    day : int
        First day of the test part, days since 1970-01-01 UTC.
    train : Matrix
        Sampled cardholders, all columns, contacts before ``day`` only.
    merchants : int32, shape (n_catalogue,)
        Columns of merchants met before ``day``: the catalogue of the trial.
    trial : Trial
    unreachable : int
        Pairs after ``day`` whose merchant nobody of the sample met before; no model could know.
    """

    day: int
    train: Matrix
    merchants: NDArray[np.int32]
    trial: Trial
    unreachable: int

    def facts(self) -> SplitFacts:
        """What is told of it."""
        trial = self.trial
        return SplitFacts(self.day, trial.n_cardholders, trial.n_catalogue, self.unreachable)


class EmptyPartError(BadInputError):
    """A split leaves nothing before it or nothing after it.

    Parameters
    ----------
    asked : date         first day of the test part
    first, last : date   of the usage that was to be split
    """

    def __init__(self, asked: date, first: date, last: date) -> None:
        super().__init__(
            f"--split-at: {asked} must lie after {first} and not after {last}, the first and last "
            "day of the usage"
        )
        self.first, self.last = first, last


def split_day(found: Survey, asked: date | None, plan: EvaluationPlan) -> int:
    """First day of the test part.

    Raises
    ------
    EmptyPartError
        The date asked for leaves nothing before it or nothing after it.
    """
    span = found.last_day + 1 - found.first_day
    if asked is None:
        held_out = plan.test_days or int(np.clip(span // 10, 7, 90))
        return max(found.last_day + 1 - held_out, found.first_day + 1)
    day = (asked - EPOCH).days
    if not found.first_day < day <= found.last_day:
        raise EmptyPartError(asked, day_of(found.first_day), day_of(found.last_day))
    return day


def iso_date(day: int) -> str:
    """``2026-01-31`` of a day since 1970-01-01."""
    return day_of(day).isoformat()


def day_of(day: int) -> date:
    """Date of a day since 1970-01-01."""
    return date.fromordinal(EPOCH.toordinal() + day)


def split(
    spool: Spool,
    found: Survey,
    profiles: pl.DataFrame | None,
    model: ModelParameters,
    *,
    day: int,
    max_cardholders: int,
) -> Split:
    """Cut the usage in time; a sample of cardholders when there are more than asked for.

    Groups of cardholders are those that profiles and the usage before ``day`` tell of.
    """
    n = min(max_cardholders, len(found.cardholders))
    n_columns = len(found.columns)
    train = build(
        spool, n_columns, model.events, as_of_day=day - 1, before_day=day, n_cardholders=n
    )
    met = np.bincount(train.strength.indices, minlength=n_columns) > 0
    can_be_met = is_merchant(found.columns)
    merchants = np.flatnonzero(met & can_be_met).astype(np.int32)
    after = visited_after(spool, n_columns, from_day=day, n_cardholders=n)
    wanted = after[:, merchants].tocsr()
    homes = homes_of(spool, found, profiles, before_day=day, n_cardholders=n)
    trial = Trial(
        seen=train.strength[:, merchants].tocsr(),
        wanted=wanted,
        segments=_labels(train.strength, homes, first_days(spool, n), day),
        age_days=_ages(train, merchants, day),
    )
    reachable = np.count_nonzero(can_be_met[after.indices])
    return Split(day, train, merchants, trial, int(reachable - wanted.nnz))


def is_merchant(columns: Vocabulary) -> NDArray[np.bool_]:
    """Which columns are merchants, bool, shape (n_columns,)."""
    prefix = column_id(ColumnKind.MERCHANT, "")
    return np.fromiter((c.startswith(prefix) for c in columns), np.bool_, len(columns))


def _ages(train: Matrix, merchants: NDArray[np.int32], day: int) -> NDArray[np.float32]:
    """Days from each merchant cell's last visit to the split, in the order of ``trial.seen``."""
    age = (day - train.last_day).astype(np.float32)
    cells = (np.maximum(age, 1), train.strength.indices, train.strength.indptr)
    dated = sparse.csr_matrix(cells, shape=train.strength.shape)[:, merchants].tocsr()
    return np.asarray(dated.data, np.float32)


def _labels(
    strength: sparse.csr_matrix, homes: Homes, first: NDArray[np.int32], day: int
) -> dict[str, NDArray[np.str_]]:
    """Groups of the sampled cardholders by which figures are shown."""
    grouped = {
        "activity": activity(strength),
        "tenure": tenure(first, split_day=day),
        "product": _named(homes.products, homes.main_product()),
        "city": _named(homes.cities, homes.city),
        "segment": _named(homes.segments, homes.segment),
    }
    return {name: labels for name, labels in grouped.items() if np.unique(labels).size > 1}


def _named(names: list[str], codes: NDArray[np.int32]) -> NDArray[np.str_]:
    return np.array([*names, UNKNOWN])[codes]
