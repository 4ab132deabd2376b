"""Who may have what, where and when: one mask over all items, one reason for each refusal.

``refusal`` names the reasons, ``circumstances`` is what is judged, ``judge`` judges one item and
says why not, ``tables`` judges all items at once by ``terms`` and ``recency``, ``eligible`` those
that are asked for, ``masks`` is what is kept of it for the next.
"""

from recsvc.domain.eligibility.circumstances import Circumstances
from recsvc.domain.eligibility.eligible import Eligible
from recsvc.domain.eligibility.judge import judge
from recsvc.domain.eligibility.masks import ByTerms
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.eligibility.tables import EligibilityTables

__all__ = [
    "ByTerms",
    "Circumstances",
    "EligibilityTables",
    "Eligible",
    "Refusal",
    "judge",
]
