"""What was taken from budgets in total and on one day, for many items in one round trip."""

from collections.abc import Sequence
from typing import Any

from recsvc.domain.budgets import Spent
from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.catalog import BUDGET


class BudgetSums:
    """Reads the sums that the ledger counts; writes none."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def totals(self, issuer_id: str, item_ids: Sequence[str]) -> tuple[Spent, ...]:
        """Taken in total, for each item in the order asked."""
        return tuple(_spent(*row) for row in self._read(issuer_id, item_ids, "count", "amount"))

    def with_day(
        self, issuer_id: str, item_ids: Sequence[str], day: int
    ) -> tuple[tuple[Spent, Spent], ...]:
        """Taken in total and on a day, for each item in the order asked.

        Parameters
        ----------
        day : days since 1970-01-01 in the issuer's zone
        """
        rows = self._read(issuer_id, item_ids, "count", "amount", f"d{day}c", f"d{day}a")
        return tuple((_spent(*row[:2]), _spent(*row[2:])) for row in rows)

    def _read(self, issuer_id: str, item_ids: Sequence[str], *fields: str) -> list[Any]:
        if not item_ids:
            return []
        key = BUDGET.key(issuer_id, "")
        return self._durable.read_together_patiently(
            [("HMGET", key + item_id, *fields) for item_id in item_ids]
        )


def _spent(count: bytes | None, amount: bytes | None) -> Spent:
    return Spent(int(count or 0), int(amount or 0))
