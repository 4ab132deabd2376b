"""The model beside its rivals, on one split."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embeddings.blend import Blend
from embeddings.bundle import Bundle
from embeddings.factors import Factors
from embeddings.vocabulary import Vocabulary
from training.baselines.habit import own_habit
from training.baselines.popular import most_popular
from training.config import EvaluationPlan
from training.contest.in_use import ends_before, parameters_of, scorer_of
from training.evaluation.bootstrap import intervals
from training.evaluation.judge import Figures, Judging, evaluate_tasks
from training.evaluation.trial import Scorer, Task
from training.scoring import PRODUCT, VECTORS, product_scorer, vectors_scorer
from training.split import Split
from training.threads import workers
from training.weighting import ModelParameters

CURRENT, POPULAR, FREQUENCY = "current", "most_popular", "own_frequency"

Lead = tuple[float, float, float]
"""Mean, low and high."""

Refit = Callable[[ModelParameters], Factors]


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """Figures of every model on every task.

    Parameters
    ----------
    k : int
    tasks : dict
        Task → name → figures; ``product`` is the model, ``current`` the bundle in use.
    leads : dict
        Task → rival → mean of the product's recall less the rival's, and its 95 % interval.
    current_is : str
        How the bundle in use was judged, in a sentence; empty when there is none.
    """

    k: int
    tasks: dict[Task, dict[str, Figures]] = field(repr=False)
    leads: dict[Task, dict[str, Lead]] = field(repr=False)
    current_is: str = ""

    @property
    def judged(self) -> Task:
        """What the gate looks at: *new*, or *all* where nobody finds anything new."""
        has_new = self.tasks[Task.NEW][PRODUCT].overall.cardholders > 0
        return Task.NEW if has_new else Task.ALL

    def figures(self, name: str, task: Task | None = None) -> Figures | None:
        """Figures of one model; None when it was not judged."""
        return self.tasks[task or self.judged].get(name)

    def summary(self) -> dict[str, Any]:
        """JSON form without groups of cardholders: task → name → figures."""
        return {
            task.value: {
                name: {k: v for k, v in f.as_document().items() if k != "segments"}
                for name, f in models.items()
            }
            for task, models in self.tasks.items()
        }


def hold(
    split: Split,
    scorers: dict[str, Scorer],
    plan: EvaluationPlan,
    seed: int,
    current_is: str,
    n_threads: int = 0,
) -> Contest:
    """Judge all scorers on all three tasks, on the same cardholders, pairs and resamples."""
    how = Judging(k=plan.k, seed=seed, bootstrap_rounds=plan.bootstrap_rounds)
    tasks = evaluate_tasks(scorers, split.trial, tuple(Task), how, n_threads)
    with ThreadPoolExecutor(workers(n_threads)) as pool:
        leads = dict(
            zip(tasks, pool.map(lambda of: leads_of(of, seed), tasks.values()), strict=True)
        )
    return Contest(plan.k, tasks, leads, current_is)


def leads_of(models: dict[str, Figures], seed: int) -> dict[str, Lead]:
    """By how much the product leads each rival in recall, on the same resamples of cardholders.

    Returns
    -------
    dict of rival to the mean over cardholders and its 95 % interval; zeros where there are none
    """
    ours = models[PRODUCT].recall_of
    rivals = {name: ours - other.recall_of for name, other in models.items() if name != PRODUCT}
    if not (rivals and ours.size):
        return dict.fromkeys(rivals, (0.0, 0.0, 0.0))
    spans = intervals(np.stack(list(rivals.values())), seed=seed).tolist()
    return {
        name: (float(lead.mean()), low, high)
        for (name, lead), (low, high) in zip(rivals.items(), spans, strict=True)
    }


def scorers_of(split: Split, factors: Factors, blend: Blend) -> dict[str, Scorer]:
    """The model, its vectors without habit and trend, and the obvious rivals."""
    return {
        PRODUCT: product_scorer(factors, split.merchants, blend, split.trial),
        VECTORS: vectors_scorer(factors, split.merchants, split.trial),
        POPULAR: most_popular(split.trial),
        FREQUENCY: own_habit(split.trial),
    }


def current_scorer(
    bundle: Bundle,
    split: Split,
    columns: Vocabulary,
    model: ModelParameters,
    refit: Refit,
) -> tuple[Scorer | None, str]:
    """The bundle in use on the same split, and how it came to be judged.

    Its own vectors, when its usage ends before the split. Otherwise it has seen the answers, so
    its parameters are fitted again to the train part; equal parameters make the same model.
    """
    used = parameters_of(bundle)
    if used is None:
        return None, f"{bundle.version} was not judged: its parameters are of another form."
    if ends_before(bundle, split.day):
        scorer = scorer_of(bundle, split, columns, used.blend)
        return scorer, f"{bundle.version} by its own vectors: its usage ends before the split."
    if used == model:
        return None, (
            f"{bundle.version} has the same parameters and its usage reaches past the split, so "
            "on this split it is the same model."
        )
    return product_scorer(refit(used), split.merchants, used.blend, split.trial), (
        f"{bundle.version} fitted again with its own parameters to the train part: its usage "
        "reaches past the split, so its own vectors have seen the answers."
    )
