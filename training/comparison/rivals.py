"""Everyone fitted to one split: the product and each baseline as it was tuned for the task."""

from dataclasses import dataclass

from training import als
from training.baselines.tuned import Setting, choose, grids
from training.comparison.cuts import Cut
from training.evaluation import Scorer, Task
from training.scoring import product_scorer
from training.weighting import ModelParameters

PRODUCT = "product"


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """A model that is ready to be judged.

    Parameters
    ----------
    scorer : Scorer
    setting : str
        How it was set, for people.
    """

    scorer: Scorer
    setting: str


def contestants(
    cut: Cut, task: Task, k: int, model: ModelParameters, seed: int
) -> dict[str, Contestant]:
    """The product first, then every baseline with the setting that was best on the inner slice.

    The product's parameters are a preset or a file and are not chosen here; each baseline is, so
    that none is a straw man.
    """
    return {PRODUCT: _product(cut, model, seed), **_baselines(cut, task, k, seed)}


def _product(cut: Cut, model: ModelParameters, seed: int) -> Contestant:
    factors = als.fit(cut.outer.train.strength, model, seed)
    scorer = product_scorer(factors, cut.outer.merchants, model.blend, cut.outer.trial)
    return Contestant(scorer, f"{model.n_factors} factors")


def _baselines(cut: Cut, task: Task, k: int, seed: int) -> dict[str, Contestant]:
    chosen = {
        name: _chosen(grid, cut, task, k) for name, grid in grids(cut.outer.trial, seed).items()
    }
    return {
        name: Contestant(setting.build(cut.outer.trial), setting.words)
        for name, setting in chosen.items()
    }


def _chosen(grid: list[Setting], cut: Cut, task: Task, k: int) -> Setting:
    if cut.inner is None:
        return grid[0]
    return choose(grid, cut.inner.trial, (task,), k)[task]
