"""Who does how well on a split: the model, the obvious rivals, the bundle in use.

Read in this order: ``contest`` (all of them on the same cardholders, pairs and resamples),
``in_use`` (the bundle in use as one of them).
"""

from training.contest.contest import (
    CURRENT,
    FREQUENCY,
    POPULAR,
    Contest,
    current_scorer,
    hold,
    scorers_of,
)
from training.scoring import PRODUCT, VECTORS

__all__ = [
    "CURRENT",
    "FREQUENCY",
    "POPULAR",
    "PRODUCT",
    "VECTORS",
    "Contest",
    "current_scorer",
    "hold",
    "scorers_of",
]
