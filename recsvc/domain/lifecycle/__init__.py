"""Where a cardholder stands with an item: a function of the set of his events, not of their order.

``records`` is what is kept of an event, ``admission`` which events are taken, ``purchases`` what
the events of one card transaction come to, ``past`` all of a cardholder's, ``rewards`` what a
purchase earns. Of ``uses`` of an item, ``activations`` opens places, ``spending`` uses them up,
``pairing`` brings the two together, ``limits`` says how many he may have, ``standing`` which follow
from all that; ``savings`` is what they came to. ``offers`` finds what a purchase could earn,
``dismissals`` tells how long a dismissed item stays away.
"""

from recsvc.domain.lifecycle.admission import Door, EventCode
from recsvc.domain.lifecycle.past import Past
from recsvc.domain.lifecycle.purchases import Purchase, purchases_of
from recsvc.domain.lifecycle.records import CardTransaction, EventRecord
from recsvc.domain.lifecycle.standing import uses_of
from recsvc.domain.lifecycle.uses import Use, UseKind

__all__ = [
    "CardTransaction",
    "Door",
    "EventCode",
    "EventRecord",
    "Past",
    "Purchase",
    "Use",
    "UseKind",
    "purchases_of",
    "uses_of",
]
