"""Everyone fitted to one split: the product and each baseline as it was tuned for the task."""

from dataclasses import dataclass

from training import als
from training.baselines.tuned import Setting, choose, grids
from training.comparison.cuts import Cut
from training.evaluation import Judging, Scorer, Task
from training.scoring import PRODUCT, VECTORS, product_scorer, vectors_scorer
from training.weighting import ModelParameters


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
    cut: Cut, task: Task, how: Judging, model: ModelParameters, *, baselines: bool = True
) -> dict[str, Contestant]:
    """The product first, its vectors alone, then every baseline as it was best on the inner slice.

    The product's parameters are a preset or a file and are not chosen here; each baseline's are,
    so that none is a straw man.
    """
    rivals = _baselines(cut, task, how.k, how.seed) if baselines else {}
    return {**_product(cut, model, how.seed), **rivals}


def _product(cut: Cut, model: ModelParameters, seed: int) -> dict[str, Contestant]:
    """The model as it scores merchants, and without habit and trend."""
    factors = als.fit(cut.outer.train.strength, model, seed)
    words = f"{model.n_factors} factors"
    merchants, trial = cut.outer.merchants, cut.outer.trial
    whole = product_scorer(factors, merchants, model.blend, trial)
    bare = vectors_scorer(factors, merchants, trial)
    return {PRODUCT: Contestant(whole, words), VECTORS: Contestant(bare, words)}


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
