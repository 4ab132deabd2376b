"""Erases a cardholder from every key that names him; his hash on the list stays."""

from collections.abc import Mapping
from typing import Any

import orjson

from recsvc.domain.errors import StoreAwayError
from recsvc.domain.lifecycle import UseKind
from recsvc.stores.codec import OPTIONS
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.idempotency import IdempotencyStore
from recsvc.stores.events.ledger import Account, LedgerStore
from recsvc.stores.keys.cardholders import (
    CARDHOLDER,
    DELETED_INTERESTS,
    ERASED,
    UNSETTLED,
    USES_DUE,
)
from recsvc.stores.keys.catalog import BUDGET, BUDGETS_SPENT
from recsvc.stores.keys.events import EVENTS
from recsvc.stores.keys.table import OF_ONE_CARDHOLDER

ATTEMPTS = 20

# Keys: erased, cardholder, unsettled, uses due, stream, budgets spent, deleted interests; then a
# budget for each open activation. Arguments: his hash, receipt, revision that was read, his id;
# number of items he has used, their ids; then for each open activation its amount, day and item,
# whose budget has room again. Answers the receipt, or 'moved'.
ERASE = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return known end
local holder, id = KEYS[2], ARGV[4]
if (redis.call('HGET', holder, 'rev') or '0') ~= ARGV[3] then return 'moved' end
local all = redis.call('HGETALL', holder)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 2) == 'e:' then
    redis.call('XDEL', KEYS[5], string.match(all[i + 1], '^[^|]*|([^|]*)|'))
  elseif string.sub(all[i], 1, 2) == 'f:' then
    redis.call('HDEL', KEYS[7], ARGV[1] .. '|' .. string.sub(all[i], 3))
    redis.call('HINCRBY', KEYS[7], 'revision', 1)
  end
end
local items = tonumber(ARGV[5])
for i = 6, 5 + items do redis.call('ZREM', KEYS[4], id .. '|' .. ARGV[i]) end
local at = 6 + items
for i = 8, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'count', -1)
  redis.call('HINCRBY', KEYS[i], 'amount', -ARGV[at])
  redis.call('HINCRBY', KEYS[i], 'd' .. ARGV[at + 1] .. 'c', -1)
  redis.call('HINCRBY', KEYS[i], 'd' .. ARGV[at + 1] .. 'a', -ARGV[at])
  redis.call('ZREM', KEYS[6], ARGV[at + 2])
  at = at + 3
end
redis.call('ZREM', KEYS[3], id)
redis.call('DEL', holder)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]
"""


class ErasureStore:
    """Erases in the stores that serving reads; the archiver does the rest.

    Parameters
    ----------
    durable : Connection
    ledger : LedgerStore
    deny_list : DenyList
    replays : IdempotencyStore
    """

    def __init__(
        self,
        durable: Connection,
        ledger: LedgerStore,
        deny_list: DenyList,
        replays: IdempotencyStore,
    ) -> None:
        self._durable = durable
        self._ledger = ledger
        self._deny_list = deny_list
        self._replays = replays
        self._erase = Script(ERASE)

    def erase(
        self, issuer_id: str, cardholder_id: str, receipt: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Erase; returns the receipt, of the first time when there was one.

        Open activations give their places back; redemptions stay counted in budgets, without a
        name.
        """
        written = orjson.dumps(receipt, option=OPTIONS)
        for _ in range(ATTEMPTS):
            (account,) = self._ledger.accounts(issuer_id, (cardholder_id,))
            call = self._call(issuer_id, account, written)
            answer = self._durable.ask(lambda store, call=call: self._erase.run(store, *call))  # type: ignore[misc]
            if answer != b"moved":
                self.unlink(issuer_id, cardholder_id)
                kept: dict[str, Any] = orjson.loads(answer)
                return kept
        raise StoreAwayError("event_store", "contended")

    def _call(
        self, issuer_id: str, account: Account, receipt: bytes
    ) -> tuple[list[str], list[Argument]]:
        held = [
            (item_id, use)
            for item_id, uses in account.uses.items()
            for use in uses
            if use.kind is UseKind.HELD
        ]
        keys = [
            ERASED.key(issuer_id),
            CARDHOLDER.key(issuer_id, account.cardholder_id),
            UNSETTLED.key(issuer_id),
            USES_DUE.key(issuer_id),
            EVENTS.key(issuer_id),
            BUDGETS_SPENT.key(issuer_id),
            DELETED_INTERESTS.key(issuer_id),
            *(BUDGET.key(issuer_id, item_id) for item_id, _ in held),
        ]
        arguments: list[Argument] = [
            self._deny_list.hash_of(issuer_id, account.cardholder_id),
            receipt,
            account.revision,
            account.cardholder_id,
            len(account.uses),
            *account.uses,
        ]
        for item_id, use in held:
            arguments += (use.amount_minor, use.day, item_id)
        return keys, arguments

    def unlink(self, issuer_id: str, cardholder_id: str) -> None:
        """Drop every key that is his alone, and his replays; again is no harm."""
        keys = [family.key(issuer_id, cardholder_id) for family in OF_ONE_CARDHOLDER]
        self._durable.ask(lambda store: store.unlink(*keys))
        self._replays.forget(issuer_id, cardholder_id)
