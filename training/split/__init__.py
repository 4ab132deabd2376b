"""A split in time, and who does how well on it.

Read in this order: ``cut`` (what was known before the split and what came after), ``contest`` (the
model beside baselines), ``rivals`` (the bundle in use as one of them).
"""

from training.split.contest import (
    CURRENT,
    FREQUENCY,
    POPULAR,
    PRODUCT,
    VECTORS,
    Contest,
    current_scorer,
    hold,
    scorers_of,
)
from training.split.cut import Split, iso_date, split, split_day

__all__ = [
    "CURRENT",
    "FREQUENCY",
    "POPULAR",
    "PRODUCT",
    "VECTORS",
    "Contest",
    "Split",
    "current_scorer",
    "hold",
    "iso_date",
    "scorers_of",
    "split",
    "split_day",
]
