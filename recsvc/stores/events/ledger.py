"""The ledger of uses: what each cardholder holds of an item, and what all hold together.

A commit names the revision that was read; when the cardholder changed meanwhile nothing is
written. Budgets are checked and counted in the same script, so none is ever overspent.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
import redis

from embeddings.erasure import erased_hashes
from recsvc.domain.budgets import BudgetLimits
from recsvc.domain.cardholder import Profile
from recsvc.domain.lifecycle import EventRecord, Use
from recsvc.domain.moment import microseconds
from recsvc.stores import codec
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.events.codec import (
    Fields,
    encode_event,
    records_of,
    records_with,
    use_arguments,
    uses_by_item,
)
from recsvc.stores.events.commit_script import LEDGER_COMMIT
from recsvc.stores.keys.cardholders import CARDHOLDER, ERASED, UNSETTLED, USES_DUE
from recsvc.stores.keys.catalog import BUDGET, BUDGETS_SPENT
from recsvc.stores.keys.events import EVENTS


class Committed(StrEnum):
    """What a commit did."""

    DONE = "done"
    MOVED = "moved"
    EXHAUSTED = "exhausted"
    ERASED = "erased"


COMMITTED = {one.value.encode(): one for one in Committed}
SHARED_KEYS = (USES_DUE, UNSETTLED, EVENTS, ERASED, BUDGETS_SPENT)


class Account(NamedTuple):
    """What the ledger knows of a cardholder at one revision."""

    cardholder_id: str
    revision: str
    profile: Profile
    records: tuple[EventRecord, ...]
    uses: dict[str, tuple[Use, ...]]


class Entry(NamedTuple):
    """All uses of one item that a cardholder is to have, and the item's limits."""

    item_id: str
    limits: BudgetLimits
    uses: tuple[Use, ...]


class Commit(NamedTuple):
    """One change of a cardholder's account, whole or not at all.

    Parameters
    ----------
    account : Account          as it was read
    entries : sequence of Entry
    day : int                  today, in days since 1970-01-01 of the issuer's zone
    day_ends_at : datetime
    added : (EventRecord, bytes), optional
        An activation that goes with it, and its entry for the stream.
    removed : sequence of str  ids of events that it withdraws
    is_strict : bool           whether a use without room refuses everything
    is_whole : bool            whether all that his events say is in it
    """

    account: Account
    entries: Sequence[Entry]
    day: int
    day_ends_at: datetime
    added: tuple[EventRecord, bytes] | None = None
    removed: Sequence[str] = ()
    is_strict: bool = False
    is_whole: bool = False


class LedgerStore:
    """Accounts and budgets in the durable store."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._commit = Script(LEDGER_COMMIT)

    def accounts(self, issuer_id: str, cardholder_ids: Sequence[str]) -> tuple[Account, ...]:
        """Accounts in the order asked; one round trip."""
        keys = [CARDHOLDER.key(issuer_id, cardholder_id) for cardholder_id in cardholder_ids]
        hashes = self._durable.ask(lambda store: _hashes(store, keys))
        return tuple(map(account_of, cardholder_ids, hashes))

    def commit(self, issuer_id: str, commits: Sequence[Commit]) -> tuple[Committed, ...]:
        """Write changes in one script, in order; each is checked by itself."""
        if not commits:
            return ()
        key = self._deny_list.key_of(issuer_id)
        holder = CARDHOLDER.key(issuer_id, "")
        keys = [family.key(issuer_id) for family in SHARED_KEYS]
        keys += [holder + commit.account.cardholder_id for commit in commits]
        arguments: list[Argument] = [len(commits), BUDGET.key(issuer_id, "")]
        arguments += erased_hashes(key, (commit.account.cardholder_id for commit in commits))
        for commit in commits:
            own = _commit_arguments(commit)
            arguments += (len(own), *own)
        answers = self._durable.ask(lambda store: self._commit.run(store, keys, arguments))
        return tuple(COMMITTED[answer] for answer in answers)

    def exhausted(self, issuer_id: str, now: datetime) -> frozenset[str]:
        """Items whose total or daily budget is used up now."""
        since = microseconds(now) // 1000
        name = BUDGETS_SPENT.key(issuer_id)
        found: Any = self._durable.ask_patiently(
            lambda store: store.zrangebyscore(name, f"({since}", "+inf")
        )
        return frozenset(one.decode() for one in found)

    def due(self, issuer_id: str, now: datetime, limit: int) -> list[str]:
        """Cardholders with a use that has lapsed, or with events that are not settled yet."""
        lapsed, waiting = USES_DUE.key(issuer_id), UNSETTLED.key(issuer_id)
        at = microseconds(now)

        def read(store: redis.Redis) -> list[Any]:
            pipeline = store.pipeline(transaction=False)
            pipeline.zrangebyscore(lapsed, "-inf", at, start=0, num=limit)
            pipeline.zrangebyscore(waiting, "-inf", at // 1000 - 1000, start=0, num=limit)
            return list(pipeline.execute())

        members, ids = self._durable.ask_patiently(read)
        found = {one.decode().partition("|")[0] for one in (*members, *ids)}
        return sorted(found)


def _commit_arguments(commit: Commit) -> list[Argument]:
    """What the script is told of one commit."""
    return [
        commit.account.cardholder_id,
        commit.account.revision,
        int(commit.is_strict),
        int(commit.is_whole),
        commit.day,
        microseconds(commit.day_ends_at) // 1000,
        *_event_arguments(commit),
        *items_arguments(commit.entries),
    ]


def items_arguments(entries: Sequence[Entry]) -> list[Argument]:
    """Number of items, their fields, and what the scripts must know of each to find its room."""
    told: list[Argument] = [len(entries)]
    told += [f"u:{entry.item_id}" for entry in entries]
    for entry in entries:
        limits = entry.limits
        bounds = (limits.total_count, limits.total_minor, limits.daily_count, limits.daily_minor)
        told += ["" if bound is None else bound for bound in bounds]
        told += (limits.unit_minor, len(entry.uses))
        for use in entry.uses:
            told += use_arguments(use)
    return told


def _event_arguments(commit: Commit) -> tuple[Argument, ...]:
    removed = orjson.dumps([f"e:{one}" for one in commit.removed]) if commit.removed else b""
    if commit.added is None:
        return "", "", "", "", "", removed
    record, entry = commit.added
    before, after = encode_event(record, record.occurred_at)
    return f"e:{record.event_id}", before, after, entry, f"d:{record.item_id}", removed


def _hashes(store: redis.Redis, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
    pipeline = store.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    return list(pipeline.execute())


def account_of(cardholder_id: str, fields: Fields, more: Sequence[EventRecord] = ()) -> Account:
    """What the fields of a cardholder's hash say, and more events that are about to be among them.

    The revision is that of the fields.
    """
    profile = fields.get(b"profile")
    return Account(
        cardholder_id,
        fields.get(b"rev", b"0").decode(),
        codec.decode_profile(profile) if profile else Profile(),
        tuple(records_with(fields, more) if more else records_of(fields)),
        uses_by_item(fields),
    )
