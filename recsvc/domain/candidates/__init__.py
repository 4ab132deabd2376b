"""Who proposes: personal, similar to recent, popular in a segment, new; each best first."""

from recsvc.domain.candidates.alike import best_rows, cosines
from recsvc.domain.candidates.personal import Personal
from recsvc.domain.candidates.proposer import Mask, Proposer, in_turn
from recsvc.domain.candidates.sources import Sources, proposers

__all__ = [
    "Mask",
    "Personal",
    "Proposer",
    "Sources",
    "best_rows",
    "cosines",
    "in_turn",
    "proposers",
]
