"""Why an item is shown, in words a bank would print, with evidence from his own history.

``sensitive`` knows what is never named, ``texts`` the sentences in both languages, ``finder`` which
reasons are true of an item and a cardholder.
"""

from recsvc.domain.reasons.finder import ReasonFinder
from recsvc.domain.reasons.texts import ReasonCode

__all__ = ["ReasonCode", "ReasonFinder"]
