"""Ends what has been kept long enough, family by family, where no time to live does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from recsvc.domain.moment import EPOCH_DATE, microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Script
from recsvc.stores.events.ledger_scripts import TURN_REVISION
from recsvc.stores.keys.cardholders import CARDHOLDER
from recsvc.stores.keys.catalog import BUDGET

BUDGET_DAYS = 400

# Key: a cardholder. Arguments: events received before this ms, and what ended before these
# microseconds, go: serves, dismissals, and that he took an item, which ends when it is said.
# Answers how many fields went.
FORGET = (
    TURN_REVISION
    + """
local all, gone = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  local kind, past = string.sub(all[i], 1, 2), false
  if kind == 'e:' then
    past = tonumber(string.match(all[i + 1], '^[^|]*|(%d+)')) < tonumber(ARGV[1])
  elseif kind == 's:' or kind == 'd:' then
    past = tonumber(string.match(all[i + 1], '%-?%d+')) < tonumber(ARGV[2])
  end
  if past then gone = gone + redis.call('HDEL', KEYS[1], all[i]) end
end
if gone > 0 then turn_revision(KEYS[1]) end
return gone
"""
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How much was ended."""

    cardholder_fields: int
    budget_days: int


class Retention:
    """Goes over all keys of an issuer; meant for a nightly run."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable
        self._forget = Script(FORGET)

    def run(self, issuer_id: str, now: datetime, days: int) -> Ended:
        """End events, serves and lapsed dismissals older than so many days, and old budget days.

        Uses of items stay: caps and savings count them, and they name no purchase but by id.
        """
        before = now - timedelta(days=days)
        return self._durable.ask_patiently(lambda store: self._run(store, issuer_id, before, now))

    def _run(self, store: redis.Redis, issuer_id: str, before: datetime, now: datetime) -> Ended:
        cut = microseconds(before)
        fields = sum(
            self._forget.run(store, (name.decode(),), (cut // 1000, cut))
            for name in store.scan_iter(CARDHOLDER.key(issuer_id, "*"), count=1000)
        )
        oldest_day = (now.date() - EPOCH_DATE).days - BUDGET_DAYS
        budgets = list(store.scan_iter(BUDGET.key(issuer_id, "*"), count=1000))
        return Ended(fields, sum(_end_days(store, name, oldest_day) for name in budgets))


def _end_days(store: redis.Redis, name: bytes, oldest_day: int) -> int:
    """Drop the sums of days that no limit looks at any more."""
    sums: list[bytes] = store.hkeys(name)  # type: ignore[assignment]
    old = [one for one in sums if one[:1] == b"d" and int(one[1:-1]) < oldest_day]
    if old:
        store.hdel(name, *old)
    return len(old)
