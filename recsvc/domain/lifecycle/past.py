"""What is kept of a cardholder's events, and what they come to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from recsvc.domain.lifecycle.purchases import Purchase, purchases_of
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.uses import BY_EVENT, Use


class Past(NamedTuple):
    """A cardholder's events and what they come to; build with :meth:`of`.

    Parameters
    ----------
    records : tuple of EventRecord       in any order
    purchases : tuple of Purchase
    transaction_ids : frozenset of str   all that any event names
    event_ids : frozenset of str
    by_item : mapping of str to list of EventRecord    those about an item, by its id
    """

    records: tuple[EventRecord, ...]
    purchases: tuple[Purchase, ...]
    transaction_ids: frozenset[str]
    event_ids: frozenset[str]
    by_item: Mapping[str, Sequence[EventRecord]]

    @classmethod
    def of(cls, records: Iterable[EventRecord]) -> Self:
        """Past of these events."""
        kept = tuple(records)
        named = frozenset([r.transaction.transaction_id for r in kept if r.transaction])
        by_item: dict[str, list[EventRecord]] = defaultdict(list)
        for record in kept:
            if record.item_id is not None:
                by_item[record.item_id].append(record)
        event_ids = frozenset([r.event_id for r in kept])
        return cls(kept, purchases_of(kept), named, event_ids, dict(by_item))

    def about(self, item_id: str) -> Sequence[EventRecord]:
        """Events about an item."""
        return self.by_item.get(item_id, ())

    def tells_of(self, use: Use) -> bool:
        """Whether what spent a use is among these events; they decide then what becomes of it."""
        spent_by = use.transaction_id or use.use_id
        if spent_by in self.transaction_ids:
            return True
        is_event = use.transaction_id is None or spent_by.startswith(BY_EVENT)
        return is_event and spent_by.removeprefix(BY_EVENT) in self.event_ids
