"""Which activation stands behind which redemption, and what is left open."""

from datetime import datetime, timedelta, tzinfo

from embeddings.catalog import Item
from recsvc.domain.lifecycle.activations import Activation
from recsvc.domain.lifecycle.rewards import currency_of, reserved_minor
from recsvc.domain.lifecycle.spending import Spending
from recsvc.domain.lifecycle.uses import Use, UseKind
from recsvc.domain.moment import day_number

CLOCKS_APART = timedelta(minutes=5)


def pair(
    spent: list[Spending], activations: list[Activation], item: Item, zone: tzinfo
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
        uses.append(_use(spending, behind, zone))
    return [*uses, *_held(item, free, zone)]


def _behind(spending: Spending, free: list[Activation]) -> Activation | None:
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


def _use(spending: Spending, behind: Activation | None, zone: tzinfo) -> Use:
    return Use(
        behind.event_id if behind else spending.own_id,
        spending.kind,
        _day(behind.at if behind else spending.at, zone),
        spending.amount_minor,
        spending.until,
        spending.transaction_id or (spending.own_id if behind else None),
        spending.currency,
    )


def _held(item: Item, free: list[Activation], zone: tzinfo) -> list[Use]:
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
