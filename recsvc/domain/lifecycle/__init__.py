"""Where a cardholder stands with an item: a function of the set of his events, not of their order.

``records`` is what is kept of an event, ``admission`` which events are taken, ``purchases`` what
the events of one card transaction come to, ``rewards`` what a purchase earns, ``standing`` which
uses of an item follow, ``stages`` the word for it.
"""

from recsvc.domain.lifecycle.admission import Door, EventCode
from recsvc.domain.lifecycle.purchases import Purchase, purchases_of
from recsvc.domain.lifecycle.records import CardTransaction, EventRecord
from recsvc.domain.lifecycle.stages import Stage, stage_of
from recsvc.domain.lifecycle.standing import Past, Use, UseKind, uses_of

__all__ = [
    "CardTransaction",
    "Door",
    "EventCode",
    "EventRecord",
    "Past",
    "Purchase",
    "Stage",
    "Use",
    "UseKind",
    "purchases_of",
    "stage_of",
    "uses_of",
]
