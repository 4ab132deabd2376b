"""Why an item is shown, in words a bank would print, with evidence from his own history.

``texts`` holds the sentences in both languages, ``names`` what things are called in each,
``finder`` knows which reasons are true of an item and a cardholder; what is never named,
`recsvc.domain.sensitive` knows.
"""

from recsvc.domain.reasons.finder import ReasonFinder
from recsvc.domain.reasons.texts import ReasonCode

__all__ = ["ReasonCode", "ReasonFinder"]
