"""Which uses of an item a cardholder has: open activations, and redemptions.

Laws: the same set of events gives the same uses, whatever the order of arrival and however often
each came; a reversal brings back what was before the purchase; no use beyond his own cap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Self

from embeddings.catalog import Benefit, MerchantOffer, Period
from embeddings.interactions import EventType
from recsvc.domain.cardholder import Profile
from recsvc.domain.eligibility.moment import EPOCH_DATE, day_number, period_start
from recsvc.domain.lifecycle.purchases import Purchase, purchases_of
from recsvc.domain.lifecycle.records import EventRecord
from recsvc.domain.lifecycle.rewards import (
    currency_of,
    earns,
    is_enough,
    is_for,
    reserved_minor,
    reward_minor,
)

Item = Benefit | MerchantOffer
ACTIVATION_DAYS = 30
CLEARING = timedelta(days=10)
BY_EVENT, BY_PURCHASE = "e~", "t~"
"""What the id of a use begins with that has no activation behind it."""
CLOCKS_APART = timedelta(minutes=5)


class UseKind(StrEnum):
    """How far a use has come; one letter each, as it is stored."""

    HELD = "h"
    QUALIFIED = "q"
    REDEEMED = "r"
    EXHAUSTED = "x"


SPENT = frozenset({UseKind.QUALIFIED, UseKind.REDEEMED})


@dataclass(frozen=True, slots=True)
class Use:
    """One use of an item, or the place that an open activation keeps for one.

    Parameters
    ----------
    use_id : str
        Id of the activation; of the transaction or event, after ``t~`` or ``e~``, without one.
    kind : UseKind
        ``EXHAUSTED`` when the budget had no room for it: it counts for nothing.
    day : int
        Days since 1970-01-01 in the issuer's zone: the day whose budget it is taken from.
    amount_minor : int
        What it earns; for an open activation the most it can.
    until : datetime or None
        When an open activation lapses, or an approval that was never settled.
    transaction_id : str or None
        The purchase that spent it; of a redemption that names none its event, after ``e~``.
    currency : str or None
        ISO 4217, of the amount; None when it earns no money.
    """

    use_id: str
    kind: UseKind
    day: int
    amount_minor: int
    until: datetime | None = None
    transaction_id: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class _Activation:
    """An activation and how long it is open."""

    event_id: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """A cardholder's events and what they come to; build with :meth:`of`.

    Parameters
    ----------
    records : tuple of EventRecord       in any order
    purchases : tuple of Purchase
    transaction_ids : frozenset of str   all that any event names
    event_ids : frozenset of str
    """

    records: tuple[EventRecord, ...]
    purchases: tuple[Purchase, ...]
    transaction_ids: frozenset[str]
    event_ids: frozenset[str]

    @classmethod
    def of(cls, records: Iterable[EventRecord]) -> Self:
        """Past of these events."""
        kept = tuple(records)
        named = frozenset(r.transaction.transaction_id for r in kept if r.transaction)
        return cls(kept, purchases_of(kept), named, frozenset(r.event_id for r in kept))

    def tells_of(self, use: Use) -> bool:
        """Whether what spent a use is among these events; they decide then what becomes of it."""
        spent_by = use.transaction_id or use.use_id
        if spent_by in self.transaction_ids:
            return True
        is_event = use.transaction_id is None or spent_by.startswith(BY_EVENT)
        return is_event and spent_by.removeprefix(BY_EVENT) in self.event_ids


def uses_of(
    item: Item,
    profile: Profile,
    past: Past,
    now: datetime,
    *,
    zone: tzinfo,
    recorded: Sequence[Use] = (),
) -> tuple[Use, ...]:
    """Uses of an item that follow from what is known, by day and then by id.

    Parameters
    ----------
    item : Item
    profile : Profile
    past : Past
    now : datetime, aware
    zone : tzinfo
        The issuer's.
    recorded : sequence of Use
        Uses on record; those whose events are no longer kept stay as they are, also where only
        their activation's is gone, and those that were earned under earlier terms, or an earlier
        profile, stay earned.
    """
    own = [r for r in past.records if r.item_id == item.item_id]
    if not own and not recorded and item.terms.requires_activation:
        return ()
    known = frozenset(use.transaction_id for use in recorded if use.transaction_id)
    spent = [*_of_redemptions(item, own), *_of_purchases(item, profile, past, known, zone)]
    kept = [use for use in recorded if use.kind is not UseKind.HELD and not past.tells_of(use)]
    told = [use for use in recorded if use not in kept]
    used_up = {use.use_id for use in kept}
    open_ = [a for a in _activations(item, own) if a.event_id not in used_up]
    open_ += _remembered(item, told, past, zone)
    paired = _pair(spent, sorted(open_, key=lambda a: (a.at, a.event_id)), item, zone)
    live = [use for use in (*kept, *paired) if use.until is None or now < use.until]
    return _capped(item, sorted(live, key=lambda use: (use.day, use.use_id)))


@dataclass(frozen=True, slots=True)
class _Spending:
    """A redemption before it is known whether an activation stands behind it."""

    own_id: str
    at: datetime
    kind: UseKind
    amount_minor: int
    needs_activation: bool
    until: datetime | None = None
    transaction_id: str | None = None


def _of_redemptions(item: Item, own: list[EventRecord]) -> list[_Spending]:
    """Redemptions that were told as such and name no transaction; each counts by itself."""
    told = (r for r in own if r.event_type is EventType.REDEEMED and r.transaction is None)
    earned = reward_minor(item, 0)
    return [
        _Spending(
            f"{BY_EVENT}{record.event_id}",
            record.occurred_at,
            UseKind.REDEEMED,
            earned,
            needs_activation=False,
        )
        for record in told
    ]


def _of_purchases(
    item: Item,
    profile: Profile,
    past: Past,
    known: frozenset[str],
    zone: tzinfo,
) -> list[_Spending]:
    """Purchases that earn the item, and those that a redemption names."""
    named = {
        r.transaction.transaction_id
        for r in past.records
        if r.item_id == item.item_id and r.event_type is EventType.REDEEMED and r.transaction
    }
    found = []
    for purchase in past.purchases:
        is_named = purchase.transaction_id in named
        is_kept = purchase.transaction_id in known and is_enough(item, purchase)
        is_earned = earns(item, purchase, zone) and is_for(item, profile)
        if not purchase.is_undone and (is_named or is_kept or is_earned):
            found.append(_spending(item, purchase, is_named=is_named))
    return found


def _spending(item: Item, purchase: Purchase, *, is_named: bool) -> _Spending:
    cleared = purchase.is_cleared or is_named
    return _Spending(
        f"{BY_PURCHASE}{purchase.transaction_id}",
        purchase.at,
        UseKind.REDEEMED if cleared else UseKind.QUALIFIED,
        reward_minor(item, purchase.net_minor),
        needs_activation=item.terms.requires_activation and not is_named,
        until=None if cleared else purchase.at + CLEARING,
        transaction_id=purchase.transaction_id,
    )


def _activations(item: Item, own: list[EventRecord]) -> list[_Activation]:
    """Activations in order of time."""
    told = sorted((r for r in own if r.event_type is EventType.ACTIVATED), key=lambda r: r.order)
    return [_Activation(r.event_id, r.occurred_at, open_until(item, r.occurred_at)) for r in told]


def _remembered(item: Item, recorded: Iterable[Use], past: Past, zone: tzinfo) -> list[_Activation]:
    """Activations of uses on record whose own events are no longer kept.

    A cardholder's events are bounded, so whoever looks at much loses the oldest; what he holds, or
    earned with it, stays his. Of such an activation only the day is known, so it counts from the
    day's start.
    """
    found = []
    for use in recorded:
        if use.use_id in past.event_ids or use.use_id.startswith((BY_EVENT, BY_PURCHASE)):
            continue
        opened = datetime.combine(EPOCH_DATE + timedelta(days=use.day), time(), zone)
        is_held = use.kind is UseKind.HELD and use.until is not None
        until = use.until if is_held else open_until(item, opened + timedelta(days=1))
        found.append(_Activation(use.use_id, opened, until or opened))
    return found


def open_until(item: Item, activated_at: datetime) -> datetime:
    """When an activation lapses: after thirty days, or with the item."""
    last = activated_at + timedelta(days=ACTIVATION_DAYS)
    ends_at = item.terms.ends_at
    return last if ends_at is None else min(last, ends_at)


def _pair(
    spent: list[_Spending], activations: list[_Activation], item: Item, zone: tzinfo
) -> list[Use]:
    """Give each redemption, in order of time, the first open activation; the rest stay open."""
    free = list(activations)
    uses = []
    for spending in sorted(spent, key=lambda s: (s.at, s.own_id)):
        behind = _behind(spending, free)
        if behind is None and spending.needs_activation:
            continue
        if behind is not None:
            free = [a for a in free if a.at > spending.at or a is behind]
            free.remove(behind)
        uses.append(_use(spending, behind, item, zone))
    return [*uses, *_held(item, free, zone)]


def _behind(spending: _Spending, free: list[_Activation]) -> _Activation | None:
    """The activation that a redemption uses up.

    The first that was open at the time; where the redemption was told as such, also one that two
    clocks put a few minutes later.
    """
    for activation in free:
        if activation.at <= spending.at < activation.until:
            return activation
    if spending.needs_activation:
        return None
    latest = spending.at + CLOCKS_APART
    return next((a for a in free if spending.at < a.at <= latest), None)


def _use(spending: _Spending, behind: _Activation | None, item: Item, zone: tzinfo) -> Use:
    return Use(
        behind.event_id if behind else spending.own_id,
        spending.kind,
        _day(behind.at if behind else spending.at, zone),
        spending.amount_minor,
        spending.until,
        spending.transaction_id or (spending.own_id if behind else None),
        currency_of(item),
    )


def _held(item: Item, free: list[_Activation], zone: tzinfo) -> list[Use]:
    """Places that open activations keep; an activation while another is open adds none."""
    uses: list[Use] = []
    for one in free:
        if uses and uses[-1].until is not None and one.at < uses[-1].until:
            continue
        day = _day(one.at, zone)
        uses.append(
            Use(
                one.event_id,
                UseKind.HELD,
                day,
                reserved_minor(item),
                one.until,
                currency=currency_of(item),
            )
        )
    return uses


def _day(at: datetime, zone: tzinfo) -> int:
    return day_number(at.astimezone(zone).date())


def _capped(item: Item, uses: list[Use]) -> tuple[Use, ...]:
    """The uses within the cardholder's own cap, earliest first; those beyond earn nothing."""
    kept: list[Use] = []
    for use in uses:
        if has_room(item, kept, use.day):
            kept.append(use)
        elif use.kind is not UseKind.HELD:
            kept.append(replace(use, kind=UseKind.EXHAUSTED, amount_minor=0))
    return tuple(kept)


def has_room(item: Item, uses: Iterable[Use], day: int) -> bool:
    """Whether one more use on a day is within what each cardholder may have of an item."""
    counted = [use for use in uses if use.kind is not UseKind.EXHAUSTED]
    return all(
        _within(counted, count, amount, _since(period, day))
        for period, count, amount in personal_limits(item)
    )


def personal_limits(item: Item) -> list[tuple[Period, int | None, int | None]]:
    """Period, most uses and most minor units of each limit that a cardholder has."""
    limits: list[tuple[Period, int | None, int | None]] = []
    cap = item.budget.per_cardholder if item.budget else None
    if cap is not None:
        amount = cap.amount.amount_minor if cap.amount else None
        limits.append((cap.period, cap.count, amount))
    if isinstance(item, Benefit) and item.quota is not None:
        limits.append((item.quota.period, item.quota.count, None))
    return limits


def _within(uses: list[Use], count: int | None, amount: int | None, since: int) -> bool:
    recent = [use for use in uses if use.day >= since]
    if count is not None and len(recent) >= count:
        return False
    return amount is None or sum(use.amount_minor for use in recent) < amount


def _since(period: Period, day: int) -> int:
    return period_start(period, EPOCH_DATE + timedelta(days=day))
