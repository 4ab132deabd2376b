"""Judges one item and names every reason against it; the law that the mask is held to."""

from collections.abc import Collection, Iterator

from embeddings.catalog import Benefit, Item, Money, Terms
from embeddings.catalog.terms import CustomerRecency
from recsvc.domain.cardholder import Activation, HeldProduct, ItemUse
from recsvc.domain.eligibility.circumstances import Circumstances
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.lifecycle.rewards import is_rated, reserved_minor
from recsvc.domain.moment import Moment, period_start

OPEN = frozenset({Activation.ACTIVATED, Activation.REDEEMED})


def judge(
    item: Item,
    asked: Circumstances,
    *,
    last_purchase_day: int | None = None,
    exhausted: bool = False,
    active_groups: Collection[str] = (),
) -> tuple[Refusal, ...]:
    """Every reason against an item, in the order of :class:`Refusal`; empty when it is eligible.

    Parameters
    ----------
    item : Benefit or MerchantOffer
    asked : Circumstances
    last_purchase_day : int, optional
        Days since 1970-01-01 UTC of his last purchase where the item's recency term looks.
    exhausted : bool
        Whether the item's total or daily budget is used up.
    active_groups : collection of str
        Exclusive groups in which he has activated an item other than this.
    """
    found = {
        *_of_state(item),
        *_of_window(item.terms, asked.moment),
        *_of_cards(item.terms, asked.profile.card_products),
        *_of_place(item.terms, asked),
        *_of_person(item.terms, asked, last_purchase_day),
        *used_up(item, asked.uses.get(item.item_id), asked.moment),
        *_of_request(item, asked),
    }
    if exhausted:
        found.add(Refusal.BUDGET_EXHAUSTED)
    if item.terms.exclusive_group in active_groups:
        found.add(Refusal.EXCLUSIVE_GROUP)
    return tuple(refusal for refusal in Refusal if refusal in found)


def _of_state(item: Item) -> Iterator[Refusal]:
    if item.state == "draft":
        yield Refusal.NOT_LIVE
    if item.state == "paused":
        yield Refusal.PAUSED


def _of_window(terms: Terms, moment: Moment) -> Iterator[Refusal]:
    """Windows are half-open: over at the very instant of ``ends_at``."""
    if terms.starts_at is not None and moment.at < terms.starts_at:
        yield Refusal.NOT_STARTED
    if terms.ends_at is not None and moment.at >= terms.ends_at:
        yield Refusal.ENDED
    if terms.days_of_week and moment.weekday not in terms.days_of_week:
        yield Refusal.DAY_OF_WEEK


def _of_cards(terms: Terms, held: tuple[HeldProduct, ...]) -> Iterator[Refusal]:
    """One held card must be of a product and of a tier of the item; two halves do not add up."""
    of_product = [
        card
        for card in held
        if not terms.card_products or card.card_product_id in terms.card_products
    ]
    if terms.card_products and not of_product:
        yield Refusal.CARD_PRODUCT
    elif terms.tiers and not any(card.tier in terms.tiers for card in of_product):
        yield Refusal.TIER


def _of_place(terms: Terms, asked: Circumstances) -> Iterator[Refusal]:
    if terms.cities and asked.profile.city not in terms.cities:
        yield Refusal.CITY
    if terms.channels and asked.channel is not None and asked.channel not in terms.channels:
        yield Refusal.CHANNEL


def _of_person(terms: Terms, asked: Circumstances, last_day: int | None) -> Iterator[Refusal]:
    if terms.segments and not asked.sees_segments:
        yield Refusal.PERSONALISATION_REQUIRED
    elif terms.segments and not set(terms.segments) & set(asked.profile.segments):
        yield Refusal.SEGMENT
    recency = terms.customer_recency
    if recency is not None and not asked.sees_history:
        yield Refusal.PERSONALISATION_REQUIRED
    elif recency is not None and not within(recency, last_day, asked.moment.utc_day):
        yield Refusal.CUSTOMER_RECENCY


def within(recency: CustomerRecency, last_day: int | None, today: int) -> bool:
    """Whether a last purchase on this day, or none, is as long ago as the term wants."""
    if last_day is None:
        return recency.max_days is None
    ago = max(today - last_day, 0)
    long_enough = recency.min_days is None or ago >= recency.min_days
    return long_enough and (recency.max_days is None or ago <= recency.max_days)


def used_up(item: Item, use: ItemUse | None, moment: Moment) -> Iterator[Refusal]:
    """``cap_reached`` or ``quota_used`` when he has had of the item what each may have."""
    if use is None:
        return
    cap = item.budget.per_cardholder if item.budget else None
    if cap is not None:
        since = period_start(cap.period, moment.local_day)
        by_count = cap.count is not None and use.count_since(since) >= cap.count
        if by_count or (cap.amount is not None and _is_spent(item, use, since, cap.amount)):
            yield Refusal.CAP_REACHED
    quota = item.quota if isinstance(item, Benefit) else None
    if quota is not None:
        since = period_start(quota.period, moment.local_day)
        if use.count_since(since) >= quota.count:
            yield Refusal.QUOTA_USED


def _is_spent(item: Item, use: ItemUse, since: int, most: Money) -> bool:
    """Whether less is left of a limit in money than the next use needs: of a rate, anything."""
    needed = 1 if is_rated(item) else max(reserved_minor(item), 1)
    return most.amount_minor - use.amount_since(since) < needed


def _of_request(item: Item, asked: Circumstances) -> Iterator[Refusal]:
    until = asked.dismissals.get(item.item_id)
    if until is not None and asked.moment.at < until:
        yield Refusal.DISMISSED
    if item.item_id in asked.exclude:
        yield Refusal.EXCLUDED
    if item.kind not in asked.kinds:
        yield Refusal.KIND
    if asked.category is not None and item.category != asked.category:
        yield Refusal.CATEGORY
