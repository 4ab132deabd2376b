"""Whom it is worth waking: scores of cardholders from card usage alone.

``features`` sees a cardholder as of an instant, ``outcomes`` what he did after it, ``models``
learns the one from the other, ``campaigns`` reads those with a holdout, ``uplift`` learns what a
push changes, ``figures`` says how well, and ``fit`` is the one door. The scores choose whom to
address; they are never a reason to change an offer's terms.
"""

from training.propensity.campaigns import Responses, read_campaigns
from training.propensity.fit import Propensity, fit

__all__ = ["Propensity", "Responses", "fit", "read_campaigns"]
