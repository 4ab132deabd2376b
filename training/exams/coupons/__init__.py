"""Coupons of real campaigns, ranked for each household that received them.

Read in this order: ``journey`` (the data set in our words), ``exam`` (one campaign: what was known
before it, what was redeemed in it), ``trials`` (all campaigns, each with a model of its past),
``figures`` (parameters from earlier campaigns, figures on later ones).
"""

from training.exams.coupons.figures import report
from training.exams.coupons.journey import read_journey
from training.exams.coupons.trials import exams_of

__all__ = ["exams_of", "read_journey", "report"]
