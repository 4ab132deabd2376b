"""Every baseline with a small grid, chosen by nDCG on a slice that was cut from train in time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from training.baselines.bpr import bpr
from training.baselines.ease import ease, fits
from training.baselines.habit import own_habit
from training.baselines.neighbours import Similarity, item_knn
from training.baselines.popular import most_popular, popular_in_segment
from training.baselines.tables import Growth
from training.baselines.walk import rp3beta
from training.evaluation import Judging, Scorer, Task, Trial, judge

Build = Callable[[Trial], Scorer]
HALF_LIVES = (30.0, 60.0, 120.0, 240.0, np.inf)


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of a baseline's grid.

    Parameters
    ----------
    words : str
        The point, for people.
    build : callable
        From a trial to the scorer that knows its train part.
    """

    words: str
    build: Build


def grids(trial: Trial, seed: int) -> dict[str, list[Setting]]:
    """Grid of every baseline that this trial has room and labels for."""
    found = {
        "most_popular": [Setting("all time", most_popular)],
        "recently_popular": [
            Setting(f"half-life {h:g} d", partial(most_popular, half_life_days=h))
            for h in HALF_LIVES[:-1]
        ],
        "own_frequency": [
            Setting(f"half-life {h:g} d", partial(own_habit, half_life_days=h)) for h in HALF_LIVES
        ],
        "rp3beta": list(_rp3beta()),
        "bpr": list(_bpr(seed)),
    }
    for name in ("segment", "product", "city"):
        if name in trial.segments:
            found[f"popular_in_{name}"] = list(_in_segment(name))
    for similarity in Similarity:
        found[f"itemknn_{similarity.value}"] = list(_item_knn(similarity))
    if fits(trial):
        found["ease"] = list(_ease())
    return found


def _in_segment(name: str) -> Iterator[Setting]:
    for half_life in HALF_LIVES[1:]:
        yield Setting(f"half-life {half_life:g} d", partial(_segment_popular, name, half_life))


def _segment_popular(name: str, half_life_days: float, trial: Trial) -> Scorer:
    return popular_in_segment(trial, trial.segments[name], half_life_days)


def _item_knn(similarity: Similarity) -> Iterator[Setting]:
    for growth in Growth:
        for kept in (50, 100, 200):
            build = partial(item_knn, similarity=similarity, neighbours=kept, growth=growth)
            yield Setting(f"{kept} neighbours, {growth.value}", build)


def _rp3beta() -> Iterator[Setting]:
    for growth in Growth:
        for beta in (0.2, 0.4, 0.6):
            build = partial(rp3beta, beta=beta, neighbours=200, growth=growth)
            yield Setting(f"beta {beta:g}, {growth.value}", build)


def _ease() -> Iterator[Setting]:
    for growth in Growth:
        for regularisation in (50.0, 150.0, 500.0):
            build = partial(ease, regularisation=regularisation, growth=growth)
            yield Setting(f"λ {regularisation:g}, {growth.value}", build)


def _bpr(seed: int) -> Iterator[Setting]:
    for rate in (0.01, 0.05):
        for regularisation in (0.01, 0.1):
            build = partial(bpr, learning_rate=rate, regularisation=regularisation, seed=seed)
            yield Setting(f"rate {rate:g}, λ {regularisation:g}", build)


def choose(
    grid: list[Setting], slice_: Trial, tasks: tuple[Task, ...], k: int
) -> dict[Task, Setting]:
    """Best setting by nDCG for each task, on a slice cut from train; ties to the earlier.

    Parameters
    ----------
    grid : list of Setting, at least one
    slice_ : Trial
        Cut from train in time; a slice in which nobody has a target leaves the first setting.
    tasks : tuple of Task
    k : int
    """
    if len(grid) == 1:
        return dict.fromkeys(tasks, grid[0])
    how = Judging(k=k, bootstrap_rounds=1)
    best: dict[Task, tuple[float, Setting]] = {}
    for setting in grid:
        scorer = setting.build(slice_)
        for task in tasks:
            found = judge(scorer, slice_, task, how).ndcg
            if task not in best or found > best[task][0]:
                best[task] = (found, setting)
    return {task: setting for task, (_, setting) in best.items()}
