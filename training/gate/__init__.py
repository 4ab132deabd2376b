"""Whether a model may be published: reasons against it, each a code and a sentence.

``rule`` holds the thresholds, ``reasons`` the codes, ``data``, ``figures`` and ``numbers`` the
judgements, in the order in which a run asks them.
"""

from training.gate.data import DataFacts, Signal, judge_data, judge_drift
from training.gate.figures import Figures, judge_figures
from training.gate.numbers import judge_numbers
from training.gate.reasons import Code, Reason
from training.gate.rule import GateRule

__all__ = [
    "Code",
    "DataFacts",
    "Figures",
    "GateRule",
    "Reason",
    "Signal",
    "judge_data",
    "judge_drift",
    "judge_figures",
    "judge_numbers",
]
