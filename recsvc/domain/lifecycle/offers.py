"""Which offers a purchase could earn, found without looking at all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from embeddings.catalog import Catalog, Item, MerchantOffer
from embeddings.interactions import TransactionStatus
from recsvc.domain.lifecycle.dismissals import takes
from recsvc.domain.lifecycle.records import EventRecord, Told

REVERSED, RETURNED = TransactionStatus.REVERSED, TransactionStatus.RETURNED


class Concern(IntEnum):
    """Whether an event may change a use that others must know of at once."""

    NONE = 0
    IF_ACTIVATED = 1
    ALWAYS = 2


NONE = Concern.NONE


def _concern(offer: MerchantOffer) -> Concern:
    """An offer that nobody limits is counted when somebody asks, not with each purchase."""
    if offer.terms.requires_activation:
        return Concern.IF_ACTIVATED
    return Concern.NONE if offer.budget is None else Concern.ALWAYS


@dataclass(frozen=True, slots=True, eq=False)
class OfferBook:
    """Offers by the merchant, or the category, at which they are earned; build with :meth:`of`.

    What a payment there may change is kept beside them: most payments are only asked for that.
    """

    catalog: Catalog
    by_merchant: Mapping[str, tuple[MerchantOffer, ...]]
    by_mcc: Mapping[str, tuple[MerchantOffer, ...]]
    merchants: Mapping[str, Concern]
    categories: Mapping[str, Concern]

    @classmethod
    def of(cls, catalog: Catalog) -> Self:
        """Book of a catalogue."""
        merchants: dict[str, list[MerchantOffer]] = defaultdict(list)
        categories: dict[str, list[MerchantOffer]] = defaultdict(list)
        for item in catalog.items:
            if not isinstance(item, MerchantOffer):
                continue
            if item.merchant_id is not None:
                merchants[item.merchant_id].append(item)
            elif item.mcc is not None:
                categories[item.mcc].append(item)
        return cls(
            catalog,
            {merchant: tuple(offers) for merchant, offers in merchants.items()},
            {mcc: tuple(offers) for mcc, offers in categories.items()},
            {merchant: max(map(_concern, offers)) for merchant, offers in merchants.items()},
            {mcc: max(map(_concern, offers)) for mcc, offers in categories.items()},
        )

    def at(self, merchant_id: str, mcc: str | None) -> tuple[MerchantOffer, ...]:
        """Offers that a purchase there could earn."""
        here = self.by_merchant.get(merchant_id, ())
        return here if mcc is None else here + self.by_mcc.get(mcc, ())

    def concern(self, record: Told) -> Concern:
        """What an event may change at once."""
        if takes(record.event_type):
            is_known = self.catalog.row(record.item_id or "") is not None
            return Concern.ALWAYS if is_known else Concern.NONE
        paid = record.transaction
        if paid is None:
            return Concern.NONE
        if paid.status is REVERSED or paid.status is RETURNED:
            return Concern.ALWAYS  # may name another merchant than its purchase, or no category
        here = self.merchants.get(paid.merchant_id, NONE)
        return here if paid.mcc is None else max(here, self.categories.get(paid.mcc, NONE))

    def touched(self, records: Iterable[EventRecord], recorded: Iterable[str]) -> list[Item]:
        """Items of which these events, or uses on record, tell; in order of their ids."""
        found: dict[str, Item] = {}
        named = [*recorded]
        for record in records:
            if record.item_id is not None and takes(record.event_type):
                named.append(record.item_id)
            paid = record.transaction
            if paid is not None:
                for offer in self.at(paid.merchant_id, paid.mcc):
                    found[offer.item_id] = offer
        for item_id in named:
            item = self.catalog.get(item_id)
            if item is not None:
                found[item_id] = item
        return [found[item_id] for item_id in sorted(found)]
