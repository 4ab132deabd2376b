"""Activations: a cardholder takes an item, keeps a place in its budgets, and may give it back."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from embeddings.catalog import Item
from embeddings.interactions import EventType
from recsvc.domain.budgets import BudgetLimits
from recsvc.domain.eligibility.refusal import MEANING, Refusal
from recsvc.domain.errors import (
    ConflictError,
    NotFoundError,
    StoreAwayError,
)
from recsvc.domain.lifecycle import EventRecord, Past, Use, UseKind, uses_of
from recsvc.domain.lifecycle.uses import SPENT
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.domain.question import Question
from recsvc.domain.rankings import refusals_of
from recsvc.domain.recommender import Recommender
from recsvc.ledger.settling import Day
from recsvc.stores.events.entry import encode_entry
from recsvc.stores.events.ledger import Account, Commit, Committed, Entry, LedgerStore

ATTEMPTS = 20
OVERLOOKED = frozenset({Refusal.DISMISSED, Refusal.BUDGET_EXHAUSTED, Refusal.EXCLUDED})
"""Taking an item ends that he dismissed it; budgets are asked of the ledger itself."""
CAPS = frozenset({Refusal.CAP_REACHED, Refusal.QUOTA_USED})


@dataclass(frozen=True, slots=True)
class Activated:
    """An open activation, and whether this call opened it."""

    item_id: str
    use: Use
    is_new: bool


def new_event_id() -> str:
    """Id of an activation that began here."""
    return f"act~{secrets.token_hex(10)}"


class Activator:
    """Opens and withdraws activations.

    Parameters
    ----------
    slot : the models that serve
    states : what is known of cardholders
    ledger : LedgerStore
    recommender : judges eligibility
    clock : aware now
    new_id : makes the id of an activation's event
    """

    def __init__(
        self,
        *,
        slot: ModelSlot,
        states: CardholderStates,
        ledger: LedgerStore,
        recommender: Recommender,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = new_event_id,
    ) -> None:
        self._slot = slot
        self._states = states
        self._ledger = ledger
        self._recommender = recommender
        self._clock = clock
        self._new_id = new_id

    @property
    def _zone(self) -> tzinfo:
        return self._recommender.zone

    def activate(self, issuer_id: str, question: Question, item_id: str) -> Activated:
        """Open an activation, or find the one that is open.

        Taking ends his dismissals of the item. Who asks for what is open and not dismissed did
        nothing new; where it is dismissed the activation is recorded, and takes no second place.

        Raises
        ------
        NotFoundError
            no such item, or the cardholder was erased
        ConflictError
            ``budget_exhausted``, ``cap_reached`` or ``not_eligible``
        StoreAwayError
            whether it is open is not known; ask again
        """
        model = self._slot.serving(issuer_id)
        item = _item(model, item_id)
        for _ in range(ATTEMPTS):
            (account,) = self._ledger.accounts(issuer_id, (question.cardholder_id,))
            now = self._clock()
            held = _held(account, item_id, now)
            if held is None:
                self._refuse(model, issuer_id, question, item_id, now)
            elif not self._is_dismissed(issuer_id, account, item_id, now):
                return Activated(item_id, held, is_new=False)
            use, commit = self._taking(account, item, held, now)
            done = self._ledger.commit(issuer_id, (commit,))[0]
            if done is Committed.DONE:
                return Activated(item_id, use, is_new=held is None)
            _refuse_commit(done)
        raise StoreAwayError("event_store", "contended")

    def _is_dismissed(self, issuer_id: str, account: Account, item_id: str, now: datetime) -> bool:
        """Whether he dismissed an item since he took it last, and that has not lapsed."""
        state = self._states.state_of(issuer_id, account.cardholder_id)
        return now < state.dismissals.get(item_id, now)

    def _refuse(
        self,
        model: ServingModel,
        issuer_id: str,
        question: Question,
        item_id: str,
        now: datetime,
    ) -> None:
        """Raise unless the cardholder may have the item now."""
        state = self._states.state_of(issuer_id, question.cardholder_id)
        if state.erased:
            raise NotFoundError
        found = refusals_of(self._recommender, model, state, item_id, question, now)
        against = [refusal for refusal in found if refusal not in OVERLOOKED]
        if not against:
            return
        reasons = "; ".join(f"{refusal.value}: {MEANING[refusal]}" for refusal in against)
        only_caps = all(refusal in CAPS for refusal in against)
        raise ConflictError("cap_reached" if only_caps else "not_eligible", f"{reasons}.")

    def _taking(
        self, account: Account, item: Item, held: Use | None, now: datetime
    ) -> tuple[Use, Commit]:
        """The use that keeps the place, and the commit; who holds one is only noted to take it."""
        record = EventRecord(
            event_id=self._new_id(),
            event_type=EventType.ACTIVATED,
            occurred_at=now,
            item_id=item.item_id,
        )
        added = record, encode_entry(record, account.cardholder_id, now)
        if held is not None:
            return held, self._commit(account, item, (), now)._replace(entries=(), added=added)
        use, commit = self._opening(account, item, record, now)
        return use, commit._replace(added=added, is_strict=True)

    def _opening(
        self, account: Account, item: Item, record: EventRecord, now: datetime
    ) -> tuple[Use, Commit]:
        """The use that an activation opens, and the commit that takes its place."""
        recorded = account.uses.get(item.item_id, ())
        uses = self._uses(item, account, [*account.records, record], now, recorded)
        opened = next((use for use in uses if use.use_id == record.event_id), None)
        if opened is None:
            raise ConflictError("cap_reached", MEANING[Refusal.CAP_REACHED] + ".")
        return opened, self._commit(account, item, uses, now)

    def withdraw(self, issuer_id: str, cardholder_id: str, item_id: str) -> None:
        """Give an open activation back, and its place in the budgets with it.

        Raises
        ------
        NotFoundError
            nothing is open
        ConflictError
            ``already_redeemed``
        """
        item = _item(self._slot.serving(issuer_id), item_id)
        for _ in range(ATTEMPTS):
            (account,) = self._ledger.accounts(issuer_id, (cardholder_id,))
            now = self._clock()
            done = self._ledger.commit(issuer_id, (self._withdrawal(account, item, now),))[0]
            if done is Committed.DONE:
                return
            _refuse_commit(done)
        raise StoreAwayError("event_store", "contended")

    def _withdrawal(self, account: Account, item: Item, now: datetime) -> Commit:
        """The commit that takes an open activation back."""
        uses = account.uses.get(item.item_id, ())
        if _held(account, item.item_id, now) is None:
            if any(use.kind in SPENT for use in uses):
                raise ConflictError("already_redeemed", "It was redeemed; nothing is open.")
            raise NotFoundError
        earned = [use for use in uses if use.kind is not UseKind.HELD]
        spent = {use.use_id for use in earned}
        removed = [
            r.event_id
            for r in account.records
            if r.item_id == item.item_id
            and r.event_type is EventType.ACTIVATED
            and r.event_id not in spent
        ]
        kept = [record for record in account.records if record.event_id not in removed]
        remaining = self._uses(item, account, kept, now, earned)
        return self._commit(account, item, remaining, now)._replace(removed=removed)

    def _uses(
        self,
        item: Item,
        account: Account,
        records: Sequence[EventRecord],
        now: datetime,
        recorded: Sequence[Use],
    ) -> tuple[Use, ...]:
        past = Past.of(records)
        return uses_of(item, account.profile, past, now, zone=self._zone, recorded=recorded)

    def _commit(self, account: Account, item: Item, uses: tuple[Use, ...], now: datetime) -> Commit:
        day = Day.of(now, self._zone)
        return Commit(
            account=account,
            entries=(Entry(item.item_id, BudgetLimits.of(item), uses),),
            day=day.number,
            day_ends_at=day.ends_at,
        )


def _item(model: ServingModel, item_id: str) -> Item:
    """The item of an id; NotFoundError where the catalogue has none."""
    item = model.catalog.get(item_id)
    if item is None:
        raise NotFoundError
    return item


def _held(account: Account, item_id: str, now: datetime) -> Use | None:
    """The open activation of an item, or None."""
    for use in account.uses.get(item_id, ()):
        if use.kind is UseKind.HELD and (use.until is None or now < use.until):
            return use
    return None


def _refuse_commit(done: Committed) -> None:
    """Raise what a commit that was not done means; a moved account is read again."""
    if done is Committed.EXHAUSTED:
        raise ConflictError("budget_exhausted", MEANING[Refusal.BUDGET_EXHAUSTED] + ".")
    if done is Committed.ERASED:
        raise NotFoundError
