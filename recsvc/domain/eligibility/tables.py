"""Eligibility of all items at once: the terms of a catalogue, compiled to arrays over item rows."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Benefit, MerchantOffer
from recsvc.domain.eligibility.circumstances import BOTH_KINDS, Circumstances
from recsvc.domain.eligibility.judge import OPEN, judge, used_up
from recsvc.domain.eligibility.recency import LastDays, RecencyTable
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.eligibility.terms import Attachments, TermTable
from recsvc.domain.moment import AFTER_ALL, BEFORE_ALL, Moment, microseconds

Item = Benefit | MerchantOffer
MOST_CACHED_BYTES = 8 * 1024 * 1024
ENTRY_BYTES = 1024
"""What a mask takes beside its own bytes: its key, with names that callers chose, and its place."""
NO_DAYS: LastDays = (np.empty(0, np.int64), np.empty(0, np.int32))


class ByTerms(NamedTuple):
    """Items whose terms hold for anyone with the same cards, place, channel and time slot.

    Parameters
    ----------
    key : names the mask
    mask : bool, shape (n_items,); shared, not to be changed
    """

    key: Hashable
    mask: NDArray[np.bool_]


class MaskCache:
    """Masks that were worked out lately; emptied when it holds too many bytes.

    Safe to share between threads: at worst a mask is worked out twice.
    """

    __slots__ = ("_masks",)

    def __init__(self) -> None:
        self._masks: dict[Hashable, NDArray[np.bool_]] = {}

    def get(self, key: Hashable) -> NDArray[np.bool_] | None:
        """The mask kept under a key, not to be changed; None when there is none."""
        return self._masks.get(key)

    def put(self, key: Hashable, mask: NDArray[np.bool_]) -> None:
        """Keep a mask."""
        if (len(self._masks) + 1) * (mask.nbytes + ENTRY_BYTES) > MOST_CACHED_BYTES:
            self._masks = {}
        self._masks[key] = mask


@dataclass(frozen=True, slots=True, eq=False)
class EligibilityTables:
    """The terms of every item of one catalogue.

    Parameters
    ----------
    items : sequence of items in order of their rows
    row_of : mapping of item id to row
    live : bool, shape (n_items,)
    starts, ends : int64, shape (n_items,)
        Microseconds since 1970-01-01 UTC; before or after all instants where there is none.
    products, tiers, cities, segments, channels, weekdays, kinds, categories, groups : TermTable
    recency : RecencyTable
    boundaries : int64, shape (n_instants,)
        Every instant at which a window opens or closes, ascending.
    masks : MaskCache
    exhausted : frozenset of str
        Items whose total or daily budget is used up.
    """

    items: Sequence[Item]
    row_of: Mapping[str, int]
    live: NDArray[np.bool_]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    products: TermTable
    tiers: TermTable
    cities: TermTable
    segments: TermTable
    channels: TermTable
    weekdays: TermTable
    kinds: TermTable
    categories: TermTable
    groups: TermTable
    recency: RecencyTable
    boundaries: NDArray[np.int64]
    masks: MaskCache
    exhausted: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        items: Sequence[Item],
        merchants: Attachments,
        categories: Attachments,
        exhausted: Iterable[str] = (),
    ) -> Self:
        """Compile the terms of items.

        Parameters
        ----------
        items : in order of their rows
        merchants, categories : Attachments
            Items on the merchant, and on the category, columns that they hang on.
        exhausted : item ids whose total or daily budget is used up
        """
        terms = [item.terms for item in items]
        starts = _instants((t.starts_at for t in terms), len(items), BEFORE_ALL)
        ends = _instants((t.ends_at for t in terms), len(items), AFTER_ALL)
        return cls(
            items,
            {item.item_id: row for row, item in enumerate(items)},
            np.array([item.state == "live" for item in items], np.bool_),
            starts,
            ends,
            TermTable.of([t.card_products for t in terms]),
            TermTable.of([t.tiers for t in terms]),
            TermTable.of([t.cities for t in terms]),
            TermTable.of([t.segments for t in terms]),
            TermTable.of([t.channels for t in terms]),
            TermTable.of([tuple(map(str, t.days_of_week)) for t in terms]),
            TermTable.of([(item.kind,) for item in items]),
            TermTable.of([(item.category,) for item in items]),
            TermTable.of([(t.exclusive_group,) if t.exclusive_group else () for t in terms]),
            RecencyTable.of(items, merchants, categories),
            np.unique(np.concatenate([starts, ends])),
            MaskCache(),
            frozenset(exhausted),
        )

    def mask(
        self,
        asked: Circumstances,
        last_days: LastDays = NO_DAYS,
        by_terms: ByTerms | None = None,
    ) -> NDArray[np.bool_]:
        """Which items are eligible; exactly those against which :meth:`refusals` names nothing.

        Parameters
        ----------
        asked : Circumstances
        last_days : (int64 column rows, int32 days since 1970-01-01 UTC), of equal shape
            His last purchase on each column he has.
        by_terms : what :meth:`by_terms` answers, where the caller has asked for it

        Returns
        -------
        bool, shape (n_items,); a new array
        """
        mask = (by_terms or self.by_terms(asked)).mask.copy()
        if self.exhausted:
            mask[self.rows(self.exhausted)] = False
        self.recency.clear(mask, asked, last_days)
        self._clear_request(mask, asked)
        self._clear_own(mask, asked)
        return mask

    def by_terms(self, asked: Circumstances) -> ByTerms:
        """What the terms alone leave of the catalogue."""
        profile, moment = asked.profile, asked.moment
        segments = profile.segments if asked.sees_segments else ()
        slot = int(self.boundaries.searchsorted(moment.microsecond, "right"))
        key = (slot, moment.weekday, profile.card_products, profile.city, segments, asked.channel)
        mask = self.masks.get(key)
        if mask is None:
            mask = self._open_at(moment) & self._cards(asked)
            mask &= self.cities.admits(() if profile.city is None else (profile.city,))
            mask &= self.segments.admits(segments)
            if asked.channel is not None:
                mask &= self.channels.admits((asked.channel,))
            self.masks.put(key, mask)
        return ByTerms(key, mask)

    def _open_at(self, moment: Moment) -> NDArray[np.bool_]:
        """Live items within their window on this weekday."""
        mask = self.live & (self.starts <= moment.microsecond)
        mask &= self.ends > moment.microsecond
        mask &= self.weekdays.admits((str(moment.weekday),))
        return mask

    def _cards(self, asked: Circumstances) -> NDArray[np.bool_]:
        """Items for which one held card is of the right product and the right tier."""
        held = asked.profile.card_products
        mask = self.products.unrestricted & self.tiers.unrestricted
        for card in held:
            mask |= self.products.admits((card.card_product_id,)) & self.tiers.admits((card.tier,))
        return mask

    def _clear_request(self, mask: NDArray[np.bool_], asked: Circumstances) -> None:
        """Take out what the request itself leaves out."""
        if asked.kinds != BOTH_KINDS:
            mask &= self.kinds.admits(asked.kinds)
        if asked.category is not None:
            mask &= self.categories.only(asked.category)
        if asked.exclude:
            mask[self.rows(asked.exclude)] = False

    def _clear_own(self, mask: NDArray[np.bool_], asked: Circumstances) -> None:
        """Take out what he dismissed, used up, or has activated a rival of."""
        if asked.dismissals:
            mask[self.rows(asked.dismissed())] = False
        if not asked.uses:
            return
        for group, holder in self.active_groups(asked).items():
            rivals = self.groups.rows_of[group]
            mask[rivals[rivals != holder] if holder is not None else rivals] = False
        for item_id, use in asked.uses.items():
            row = self.row_of.get(item_id)
            if row is not None and any(used_up(self.items[row], use, asked.moment)):
                mask[row] = False

    def active_groups(self, asked: Circumstances) -> dict[str, int | None]:
        """Exclusive groups with an item he activated, and its row; None when there are several."""
        found: dict[str, int | None] = {}
        for row in self.rows(i for i, use in asked.uses.items() if use.activation in OPEN):
            group = self.items[row].terms.exclusive_group
            if group is not None:
                found[group] = None if group in found else int(row)
        return found

    def rows(self, item_ids: Iterable[str]) -> NDArray[np.int32]:
        """Rows of those of these items that are in the catalogue."""
        found = [row for row in map(self.row_of.get, item_ids) if row is not None]
        return np.array(found, np.int32)

    def refusals(
        self,
        item_id: str,
        asked: Circumstances,
        last_days: LastDays = NO_DAYS,
    ) -> tuple[Refusal, ...]:
        """Every reason against one item; ``unknown_item`` when there is no such item."""
        row = self.row_of.get(item_id)
        if row is None:
            return (Refusal.UNKNOWN_ITEM,)
        groups = self.active_groups(asked)
        return judge(
            self.items[row],
            asked,
            last_purchase_day=self.recency.last_purchase_day(row, last_days),
            exhausted=item_id in self.exhausted,
            active_groups=[group for group, holder in groups.items() if holder != row],
        )


def _instants(instants: Iterable[datetime | None], n: int, missing: int) -> NDArray[np.int64]:
    """Microseconds of each instant, or ``missing``."""
    values = (missing if instant is None else microseconds(instant) for instant in instants)
    return np.fromiter(values, np.int64, n)
