"""What responses teach of items: which offers move whom, those never shown included.

Read in this order: ``impressions`` (who saw what and what came of it), ``deleted`` (whose interests
in items are not looked at), ``evidence`` (cardholders and items as the fit sees them, through a
``lens``, by ``viewers``), ``loss`` (how well parameters explain it, beside their ``priors``),
``learn`` (the fit). The result is :class:`embeddings.appeal.Appeal`, which travels with the bundle.
"""

from training.appeal.deleted import without_deleted
from training.appeal.impressions import Impressions, read_impressions
from training.appeal.learn import AppealRule, learn

__all__ = ["AppealRule", "Impressions", "learn", "read_impressions", "without_deleted"]
