"""Eligibility of all items at once: the terms of a catalogue, compiled to arrays over item rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Item
from recsvc.domain.eligibility.circumstances import BOTH_KINDS, Circumstances
from recsvc.domain.eligibility.eligible import Eligible
from recsvc.domain.eligibility.judge import OPEN, judge, used_up
from recsvc.domain.eligibility.masks import ByTerms, MaskCache
from recsvc.domain.eligibility.recency import LastDays, RecencyTable
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.eligibility.terms import Attachments, TermTable
from recsvc.domain.moment import AFTER_ALL, BEFORE_ALL, Moment, microseconds

NO_DAYS: LastDays = (np.empty(0, np.int64), np.empty(0, np.int32))


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
    used_up : int32, shape (n_exhausted,)
        Rows of those of them that are in the catalogue.
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
    exhausted: frozenset[str]
    used_up: NDArray[np.int32]

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
        row_of = {item.item_id: row for row, item in enumerate(items)}
        used_up = frozenset(exhausted)
        starts = _instants((t.starts_at for t in terms), len(items), BEFORE_ALL)
        ends = _instants((t.ends_at for t in terms), len(items), AFTER_ALL)
        return cls(
            items,
            row_of,
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
            used_up,
            _rows(row_of, used_up),
        )

    def with_exhausted(self, item_ids: Iterable[str]) -> Self:
        """The same tables, with these and only these items' budgets used up."""
        used_up = frozenset(item_ids)
        return replace(self, exhausted=used_up, used_up=_rows(self.row_of, used_up))

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
        return self.eligible(asked, last_days, by_terms or self.by_terms(asked)).mask

    def eligible(self, asked: Circumstances, last_days: LastDays, by_terms: ByTerms) -> Eligible:
        """The same, to be asked item by item or all at once.

        Parameters
        ----------
        asked, last_days : as for `mask`
        by_terms : what :meth:`by_terms` answers
        """
        left, bits = self._left(asked, by_terms)
        all_at_once = partial(self._with_recency, left, asked, last_days)
        if not self.recency.place_of:
            return Eligible(left, bits, all_at_once)
        return Eligible(left, bits, all_at_once, self.recency.judge_of(asked, last_days))

    def _with_recency(
        self, left: NDArray[np.bool_], asked: Circumstances, last_days: LastDays
    ) -> NDArray[np.bool_]:
        mask = left.copy()
        self.recency.clear(mask, asked, last_days)
        return mask

    def _left(self, asked: Circumstances, by_terms: ByTerms) -> tuple[NDArray[np.bool_], bytes]:
        """What terms, budgets, the request and what he did leave; shared when that is the same."""
        is_plain = asked.kinds == BOTH_KINDS and asked.category is None and not asked.exclude
        if is_plain and not (self.exhausted or asked.dismissals or asked.uses):
            return by_terms.mask, by_terms.bits
        mask = by_terms.mask.copy()
        mask[self.used_up] = False
        self._clear_request(mask, asked)
        self._clear_own(mask, asked)
        return mask, mask.tobytes()

    def by_terms(self, asked: Circumstances) -> ByTerms:
        """What the terms alone leave of the catalogue."""
        profile, moment = asked.profile, asked.moment
        segments = profile.segments if asked.sees_segments else ()
        slot = int(self.boundaries.searchsorted(moment.microsecond, "right"))
        key = (slot, moment.weekday, profile.card_products, profile.city, segments, asked.channel)
        return self.masks.get(key) or self.masks.put(key, self._by_terms(asked, segments))

    def _by_terms(self, asked: Circumstances, segments: tuple[str, ...]) -> NDArray[np.bool_]:
        city = asked.profile.city
        mask = self._open_at(asked.moment) & self._cards(asked)
        mask &= self.cities.admits(() if city is None else (city,))
        mask &= self.segments.admits(segments)
        if asked.channel is not None:
            mask &= self.channels.admits((asked.channel,))
        return mask

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
        return _rows(self.row_of, item_ids)

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


def _rows(row_of: Mapping[str, int], item_ids: Iterable[str]) -> NDArray[np.int32]:
    """Rows of those of these items that are in the catalogue."""
    found = [row for row in map(row_of.get, item_ids) if row is not None]
    return np.array(found, np.int32)


def _instants(instants: Iterable[datetime | None], n: int, missing: int) -> NDArray[np.int64]:
    """Microseconds of each instant, or ``missing``."""
    values = (missing if instant is None else microseconds(instant) for instant in instants)
    return np.fromiter(values, np.int64, n)
