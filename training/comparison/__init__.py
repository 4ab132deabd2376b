"""The model beside every baseline, on any usage table, over one split or several.

Read in this order: ``cuts`` (a split of a usage table and the slice of its train part on which
baselines are tuned), ``rivals`` (everyone fitted to one split), ``pool`` (several splits as one).
"""

from training.comparison.cuts import Cut, Plan, cuts
from training.comparison.pool import Pool, pooled
from training.comparison.rivals import Contestant, contestants

__all__ = ["Contestant", "Cut", "Plan", "Pool", "contestants", "cuts", "pooled"]
