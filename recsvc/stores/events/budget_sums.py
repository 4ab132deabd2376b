"""What was taken from budgets in total and on one day, for many items in one round trip."""

from collections.abc import Sequence

from recsvc.domain.budgets import Spent
from recsvc.stores.connection.client import Connection
from recsvc.stores.keys.catalog import BUDGET


class BudgetSums:
    """Reads the sums that the ledger counts; writes none."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def read(
        self, issuer_id: str, item_ids: Sequence[str], day: int
    ) -> tuple[tuple[Spent, Spent], ...]:
        """Taken in total and on a day, for each item in the order asked.

        Parameters
        ----------
        day : days since 1970-01-01 in the issuer's zone
        """
        if not item_ids:
            return ()
        key, fields = BUDGET.key(issuer_id, ""), ("count", "amount", f"d{day}c", f"d{day}a")
        rows = self._durable.read_together_patiently(
            [("HMGET", key + item_id, *fields) for item_id in item_ids]
        )
        return tuple((_spent(row[0], row[1]), _spent(row[2], row[3])) for row in rows)


def _spent(count: bytes | None, amount: bytes | None) -> Spent:
    return Spent(int(count or 0), int(amount or 0))
