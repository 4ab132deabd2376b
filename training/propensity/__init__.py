"""Whom it is worth waking: scores of cardholders from card usage alone.

``features`` sees a cardholder as of an instant, ``outcomes`` what he did after it, ``models``
learns the one from the other, ``uplift`` what a push changes, ``figures`` how well, and ``fit`` is
the one door. The scores choose whom to address; they are never a reason to change an offer's terms.
"""

from training.propensity.fit import Propensity, Responses, fit

__all__ = ["Propensity", "Responses", "fit"]
