"""How good is a ranking: split by time, the full catalogue, no sampled negatives.

Read in this order: ``trial`` (what is asked), ``ranking`` (from scores to lists), ``metrics`` (what
a list is worth), ``bootstrap`` (how sure that is), ``segments`` and ``means`` (for whom), ``judge``
(all of it).
"""

from training.evaluation.judge import Figures, Judging, evaluate, evaluate_tasks, judge
from training.evaluation.means import Means
from training.evaluation.trial import Scorer, Task, Trial

__all__ = [
    "Figures",
    "Judging",
    "Means",
    "Scorer",
    "Task",
    "Trial",
    "evaluate",
    "evaluate_tasks",
    "judge",
]
