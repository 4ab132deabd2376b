"""An illustrative catalogue at the merchants that a usage table really shows.

For an issuer's first look, before it has written offers of its own. Read in this order: ``places``
(where cardholders go and what they pay), ``trades`` (what kind of shop that is), ``wording`` (the
templates in another currency), ``catalogue`` (all of it into items).
"""

from training.illustrate.catalogue import illustrate
from training.illustrate.places import Place, most_visited

__all__ = ["Place", "illustrate", "most_visited"]
