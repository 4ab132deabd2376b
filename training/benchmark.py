"""One model on one-line-a-user files, as the published comparisons have them.

Each line is ``user item item …``. Every item of either file is ranked but for the user's train
items; recall is hits over *all* test items of the user, nDCG's ideal is over
``min(k, test items)``, and both are means over the users with a test item.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training import als
from training.baselines.popular import most_popular
from training.errors import BadInputError
from training.evaluation import Judging, Scorer, Task, Trial, judge
from training.memory import peak_rss_bytes
from training.scoring import PRODUCT, product_scorer
from training.weighting import ModelParameters

MOST_POPULAR = "most-popular"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a benchmark.

    Parameters
    ----------
    train, test : Path
    model : str
        ``product`` or ``most-popular``.
    k : int
        Length of the lists, at least 1.
    seed : int
    """

    train: Path
    test: Path
    model: str = PRODUCT
    k: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found; its fields are those of the command's JSON."""

    recall: float
    ndcg: float
    k: int
    users: int
    fit_seconds: float
    peak_rss_bytes: int
    parameters: Mapping[str, Any]


def run(
    asked: Question, parameters: ModelParameters, progress: als.Progress | None = None
) -> Result:
    """Fit on one file, judge on the other.

    Raises
    ------
    BadInputError
        A file that is not one line a user; a user with two lines; a model we do not know.
    """
    trial = read_trial(asked.train, asked.test)
    started = time.perf_counter()
    scorer = _scorer(asked, trial, parameters, progress)
    seconds = time.perf_counter() - started
    figures = judge(scorer, trial, Task.NEW, Judging(k=asked.k, capped=False, bootstrap_rounds=1))
    return Result(
        recall=round(figures.recall, 6),
        ndcg=round(figures.ndcg, 6),
        k=asked.k,
        users=figures.overall.cardholders,
        fit_seconds=round(seconds, 3),
        peak_rss_bytes=peak_rss_bytes(),
        parameters={"model": asked.model, "seed": asked.seed, **parameters.as_document()},
    )


def _scorer(
    asked: Question, trial: Trial, parameters: ModelParameters, progress: als.Progress | None
) -> Scorer:
    if asked.model == MOST_POPULAR:
        return most_popular(trial)
    if asked.model != PRODUCT:
        raise BadInputError(
            f"--model: {asked.model} is not known; take {PRODUCT} or {MOST_POPULAR}"
        )
    factors = als.fit(trial.seen, parameters, asked.seed, progress)
    return product_scorer(factors, np.arange(trial.n_catalogue), parameters.blend, trial)


def read_trial(train: Path, test: Path) -> Trial:
    """Both files over one numbering of users and items, in the order of their names."""
    lines = [_read(train), _read(test)]
    users = {user: row for row, user in enumerate(sorted({u for file in lines for u in file}))}
    names = sorted({item for file in lines for items in file.values() for item in items})
    items = {item: column for column, item in enumerate(names)}
    tables = [_table(file, users, items) for file in lines]
    return Trial(tables[0], tables[1])


def _read(path: Path) -> dict[str, list[str]]:
    """Items of each user of one file."""
    found: dict[str, list[str]] = {}
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: not readable as text: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        user, *items = line.split() or [""]
        if user in found:
            raise BadInputError(f"{path}:{number}: user {user} has two lines; join them")
        if user:
            found[user] = items
    if not any(found.values()):
        raise BadInputError(
            f"{path}: no line holds a user and an item; expected `user item item …`"
        )
    return found


def _table(
    file: dict[str, list[str]], users: dict[str, int], items: dict[str, int]
) -> sparse.csr_matrix:
    """Ones where a user has an item."""
    sizes = [len(held) for held in file.values()]
    rows = np.repeat(np.array([users[user] for user in file], np.int64), sizes)
    columns: NDArray[np.int64] = np.array(
        [items[item] for held in file.values() for item in held], np.int64
    )
    ones = np.ones(rows.size, np.float32)
    table = sparse.csr_matrix((ones, (rows, columns)), shape=(len(users), len(items)))
    table.sum_duplicates()
    table.data[:] = 1.0
    return table
