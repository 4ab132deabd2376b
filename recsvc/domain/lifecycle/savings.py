"""What a cardholder has saved: the rewards of his redemptions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from recsvc.domain.lifecycle.uses import Use, UseKind


@dataclass(frozen=True, slots=True)
class Saving:
    """What one item brought him: minor units of one currency, and how often."""

    item_id: str
    uses: int
    amount_minor: int
    currency: str | None


@dataclass(frozen=True, slots=True)
class Savings:
    """All of it.

    Parameters
    ----------
    saved : mapping of currency to minor units, of settled redemptions
    pending : mapping of currency to minor units, of purchases that are not settled yet
    items : tuple of Saving      settled, one a currency, the largest first, ties by id
    """

    saved: Mapping[str, int]
    pending: Mapping[str, int]
    items: tuple[Saving, ...]

    @classmethod
    def of(cls, uses: Mapping[str, Sequence[Use]]) -> Self:
        """Savings of uses by item."""
        items = [one for item_id, own in uses.items() for one in _savings_of(item_id, own)]
        every = [use for own in uses.values() for use in own]
        return cls(
            _sums(every, UseKind.REDEEMED),
            _sums(every, UseKind.QUALIFIED),
            tuple(
                sorted(items, key=lambda one: (-one.amount_minor, one.item_id, one.currency or ""))
            ),
        )


def _savings_of(item_id: str, uses: Sequence[Use]) -> Iterator[Saving]:
    """What one item brought, apart for each currency."""
    redeemed = [use for use in uses if use.kind is UseKind.REDEEMED]
    for currency in dict.fromkeys(use.currency for use in redeemed):
        own = [use.amount_minor for use in redeemed if use.currency == currency]
        yield Saving(item_id, len(own), sum(own), currency)


def _sums(uses: Sequence[Use], kind: UseKind) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for use in uses:
        if use.kind is kind and use.currency is not None:
            sums[use.currency] += use.amount_minor
    return dict(sorted(sums.items()))
