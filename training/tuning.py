"""Search of parameters on slices cut from train in time; the test part is never read.

A study is a journal file: a search that was stopped goes on where it stood. It ends after so many
trials in all, or so many minutes in this run, whichever comes first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from training import als
from training.comparison.cuts import Plan, cuts
from training.errors import BadInputError
from training.evaluation import Judging, Task, judge
from training.scoring import product_scorer
from training.split import EmptyPartError, Split
from training.weighting import ModelParameters

STARTUP_TRIALS = 10
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched, and how long.

    Parameters
    ----------
    usage : Path
    split_at : date
        Usage of this UTC day and after it is never read.
    task : Task
    k : int
    slice_days, slices : int
        Length and number of the rolling slices before the split, at least 1.
    trials : int
        Trials of the study in all, those of earlier runs included.
    minutes : float
        Longest time of this run; a trial that has begun is ended.
    seed : int
    """

    usage: Path
    split_at: date
    task: Task = Task.NEW
    k: int = 20
    slice_days: int = 91
    slices: int = 2
    trials: int = 40
    minutes: float = 20.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a search without bounds."""
        if min(self.slice_days, self.slices, self.trials) < 1 or not self.minutes > 0:
            raise BadInputError("slice_days, slices, trials and minutes must be above 0")

    def days(self) -> tuple[date, ...]:
        """First day of each slice, the latest first; BadInputError for one before the year 1."""
        try:
            length = timedelta(self.slice_days)
            return tuple(self.split_at - length * (n + 1) for n in range(self.slices))
        except OverflowError:
            raise BadInputError(
                f"--slices {self.slices} of --slice-days {self.slice_days} reach back before the "
                "year 1; give fewer or shorter ones"
            ) from None


@dataclass(frozen=True, slots=True)
class Trial:
    """One finished trial: its number, its value (mean nDCG) and the best so far."""

    number: int
    value: float
    best: float


@dataclass(frozen=True, slots=True)
class Found:
    """Outcome of a search.

    Parameters
    ----------
    parameters : ModelParameters
        The best of the study.
    value, start_value : float
        Mean nDCG of the best, and of the parameters that the search started from.
    trials : tuple of Trial
    """

    parameters: ModelParameters
    value: float
    start_value: float
    trials: tuple[Trial, ...]


def tune(search: Search, start: ModelParameters, journal: Path, told: Told | None = None) -> Found:
    """Search around a start; the start itself is the first trial.

    Parameters
    ----------
    search : Search
    start : ModelParameters
    journal : Path
        File of the study; it is made, or gone on with when it is of the same search.
    told : callable, optional
        Called with (trials done, trials in all).

    Raises
    ------
    BadInputError
        The journal is of another search, or a slice has no usage in it or before it.
    """
    slices = _slices(search, start)
    study = _study(search, start, journal)

    def objective(trial: optuna.Trial) -> float:
        return mean_ndcg(slices, suggested(trial, start), search)

    def after(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        if told is not None:
            told(len(finished(study)), search.trials)

    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(coordinates(start))
    left = search.trials - len(finished(study))
    if left > 0:
        study.optimize(objective, n_trials=left, timeout=search.minutes * 60, callbacks=[after])
    return _found(study, start)


def mean_ndcg(slices: list[Split], parameters: ModelParameters, search: Search) -> float:
    """Mean over the slices of the product's nDCG."""
    how = Judging(k=search.k, bootstrap_rounds=1)
    values = []
    for one in slices:
        factors = als.fit(one.train.strength, parameters, search.seed)
        scorer = product_scorer(factors, one.merchants, parameters.blend, one.trial)
        values.append(judge(scorer, one.trial, search.task, how).ndcg)
    return float(np.mean(values))


def suggested(trial: optuna.Trial, start: ModelParameters) -> ModelParameters:
    """Parameters of a trial: what the space does not name stays as in ``start``."""
    step = replace(
        start.step,
        alpha=trial.suggest_float("alpha", 2.0, 200.0, log=True),
        regularisation=trial.suggest_float("regularisation", 1.0, 200.0, log=True),
        activity_exponent=trial.suggest_float("activity_exponent", 0.0, 0.7),
    )
    blend = replace(
        start.blend,
        trend_weight=trial.suggest_float("trend_weight", 0.0, 0.6),
        known_weight=trial.suggest_float("known_weight", 0.0, 2.0),
        habit_weight=trial.suggest_float("habit_weight", 0.0, 10.0),
        trend_half_life_days=trial.suggest_float("trend_half_life_days", 15, 400, log=True),
        habit_half_life_days=trial.suggest_float("habit_half_life_days", 15, 400, log=True),
    )
    return replace(
        start,
        n_factors=trial.suggest_int("n_factors", 16, 128, step=16),
        iterations=trial.suggest_int("iterations", 3, 20),
        popularity_exponent=trial.suggest_float("popularity_exponent", 0.0, 0.7),
        step=step,
        blend=blend,
    )


def coordinates(parameters: ModelParameters) -> dict[str, float]:
    """Parameters as a point of the space; inverse of :func:`suggested`."""
    step, blend = parameters.step, parameters.blend
    return {
        **{n: getattr(step, n) for n in ("alpha", "regularisation", "activity_exponent")},
        **{n: getattr(blend, n) for n in type(blend).__slots__},
        **{n: getattr(parameters, n) for n in ("n_factors", "iterations", "popularity_exponent")},
    }


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that have a value, in their order."""
    return [t for t in study.get_trials(deepcopy=False) if t.value is not None]


def _slices(search: Search, start: ModelParameters) -> list[Split]:
    """Rolling slices before the split, the latest first; nothing after the split is in them."""
    days = search.days()
    plan = Plan(usage=search.usage, split_at=days, test_days=search.slice_days)
    slices: list[Split] = []
    try:
        slices.extend(cut.outer for cut in cuts(plan, start))
    except EmptyPartError as error:
        raise _no_slice(search, days[len(slices)], error) from error
    return slices


def _no_slice(search: Search, day: date, error: EmptyPartError) -> BadInputError:
    """The error for a slice that begins on a day, in the words of what the user gave."""
    end = day + timedelta(search.slice_days)
    held = f"from {error.first} to {error.last} until {end}"
    if error.first >= end:
        held = f"from {error.first} on"
    return BadInputError(
        f"--split-at {search.split_at} less --slices {search.slices} of --slice-days "
        f"{search.slice_days}: the slice from {day} to {end} needs usage in it and before it, and "
        f"{search.usage} has some {held}; give another --split-at, fewer --slices or other "
        "--slice-days"
    )


def _study(search: Search, start: ModelParameters, journal: Path) -> optuna.Study:
    """Study of the journal, with the same chance however often it is stopped."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(
        study_name="tune", storage=storage, direction="maximize", load_if_exists=True
    )
    identity = _identity(search, start)
    known = study.user_attrs.get("search", identity)
    if known != identity:
        raise BadInputError(f"{journal}: holds another search, {known}; give another --study file")
    study.set_user_attr("search", identity)
    seed = search.seed + len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
    return study


def _identity(search: Search, start: ModelParameters) -> dict[str, Any]:
    """What must be the same for trials to be compared."""
    return {
        "usage": search.usage.name,
        "split_at": search.split_at.isoformat(),
        "task": search.task.value,
        "k": search.k,
        "slices": [search.slice_days, search.slices],
        "start": start.as_document(),
    }


def _found(study: optuna.Study, start: ModelParameters) -> Found:
    done = finished(study)
    if not done:
        raise BadInputError("no trial was finished in this time; give more --minutes")
    best = np.maximum.accumulate([float(t.value or 0) for t in done])
    trials = tuple(
        Trial(t.number, float(t.value or 0), float(b)) for t, b in zip(done, best, strict=True)
    )
    fixed = optuna.trial.FixedTrial(study.best_params)
    return Found(suggested(fixed, start), study.best_value, trials[0].value, trials)
