"""What the events of one card transaction come to, in whichever order they arrived."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from embeddings.interactions import TransactionStatus
from recsvc.domain.lifecycle.records import CardTransaction, EventRecord

APPROVED, SETTLED = TransactionStatus.APPROVED, TransactionStatus.SETTLED
MADE = frozenset({APPROVED, SETTLED})


class Purchase(NamedTuple):
    """One card transaction, all its events taken together.

    Parameters
    ----------
    transaction_id, merchant_id : str
    mcc, city : str or None
    at : datetime            of its first approval or settlement
    net_minor : int          what was paid less what was given back, at least 0
    currency : str
    is_cleared : bool        settled, not only approved
    is_undone : bool         reversed, or all given back
    """

    transaction_id: str
    merchant_id: str
    mcc: str | None
    city: str | None
    at: datetime
    net_minor: int
    currency: str
    is_cleared: bool
    is_undone: bool


def purchases_of(records: Iterable[EventRecord]) -> tuple[Purchase, ...]:
    """Purchases of these events, by time and then by id.

    A transaction that was only declined, or of which only the reversal has arrived, is none (yet).
    Redemptions that name their transaction tell of it too.
    """
    by_id: dict[str, list[EventRecord]] = defaultdict(list)
    for record in records:
        if record.transaction is not None:
            by_id[record.transaction.transaction_id].append(record)
    found = [
        _single(told[0]) if len(told) == 1 else _purchase(sorted(told, key=lambda r: r.order))
        for told in by_id.values()
    ]
    purchases = [purchase for purchase in found if purchase is not None]
    if len(purchases) > 1:
        purchases.sort(key=lambda p: (p.at, p.transaction_id))
    return tuple(purchases)


def _single(told: EventRecord) -> Purchase | None:
    """Purchase of a transaction's only event, as :func:`_purchase` has it; most have one."""
    paid = _of(told)
    is_cleared = paid.status is SETTLED
    if not is_cleared and paid.status is not APPROVED:
        return None
    return Purchase(
        paid.transaction_id,
        paid.merchant_id,
        paid.mcc,
        paid.city,
        told.occurred_at,
        paid.amount_minor,
        paid.currency,
        is_cleared=is_cleared,
        is_undone=False,
    )


def _purchase(told: list[EventRecord]) -> Purchase | None:
    """Purchase of one transaction's events in order; None when nothing was bought."""
    made = [record for record in told if _of(record).status in MADE]
    if not made:
        return None
    cleared = [record for record in made if _of(record).status is TransactionStatus.SETTLED]
    paid = _of((cleared or made)[-1])
    net = max(paid.amount_minor - _given_back(told, paid), 0)
    return Purchase(
        paid.transaction_id,
        paid.merchant_id,
        paid.mcc,
        paid.city,
        made[0].occurred_at,
        net,
        paid.currency,
        is_cleared=bool(cleared),
        is_undone=net == 0 and any(_of(r).status not in MADE for r in told),
    )


def _given_back(told: list[EventRecord], paid: CardTransaction) -> int:
    """A reversal gives all back, a return what it says in the currency that was paid in."""
    after = [_of(record) for record in told]
    if any(one.status is TransactionStatus.REVERSED for one in after):
        return paid.amount_minor
    returned = (one for one in after if one.status is TransactionStatus.RETURNED)
    return sum(one.amount_minor for one in returned if one.currency == paid.currency)


def _of(record: EventRecord) -> CardTransaction:
    """The transaction of a record that has one."""
    assert record.transaction is not None  # noqa: S101 - grouped by it
    return record.transaction
