"""Whom an incident touches: whose data a credential read out or changed within a window.

The audit log names cardholders by pseudonym only, so who must tell them needs their ids back: every
id that the stores still hold is hashed and compared. Who was erased since has no id any more and is
listed by pseudonym.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis

from embeddings.erasure import erased_hash
from recsvc.domain.moment import microseconds
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.streams import documents_of
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.audit_chain import AuditEntry
from recsvc.stores.events.codec import instant
from recsvc.stores.keys.cardholders import CARDHOLDER
from recsvc.stores.keys.requests import SERVES
from recsvc.stores.outreach.rosters import Meant, RosterStore

CHUNK = 1000
AUDIENCE = "get /v1/campaigns/<string:campaign_id>/audience"
OUTCOMES = "campaign_outcomes_exported"
SERVED = "list_served"


@dataclass(slots=True)
class Touched:
    """One cardholder who is touched, and by what.

    Parameters
    ----------
    subject : his pseudonym in the audit log
    cardholder_id : None when no store holds his id any more
    actions : how often each was done
    actors : who did them, as the audit log has it
    first_at, last_at : aware
    """

    subject: str
    first_at: datetime
    last_at: datetime
    cardholder_id: str | None = None
    actions: Counter[str] = field(default_factory=Counter)
    actors: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: instants from ``since`` until before ``until``, of one actor or all."""

    since: datetime
    until: datetime
    actor: str | None = None

    def covers(self, document: dict[str, Any]) -> bool:
        """Whether an entry of the audit log is meant."""
        at = datetime.fromisoformat(document["at"])
        return self.since <= at < self.until and self.actor in (None, document["actor"])


@dataclass(frozen=True, slots=True)
class Incident:
    """Who is touched, by pseudonym; and campaigns whose exported audience is not kept any more."""

    touched: dict[str, Touched]
    audiences_gone: tuple[str, ...]


class IncidentStore:
    """Reads the audit log and what it points to; for an officer's command, not for requests.

    Parameters
    ----------
    durable, cache : Connection
    audit : AuditLog
    deny_list : whose key makes the pseudonyms
    rosters : RosterStore
    """

    def __init__(
        self,
        durable: Connection,
        cache: Connection,
        audit: AuditLog,
        deny_list: DenyList,
        rosters: RosterStore,
    ) -> None:
        self._durable = durable
        self._cache = cache
        self._audit = audit
        self._deny_list = deny_list
        self._rosters = rosters

    def of(self, issuer_id: str, window: Window, *, served: bool) -> Incident:
        """Everyone whom the window touches.

        Parameters
        ----------
        served : bool
            Also everyone whose list was served in the window. The serves do not say to which
            credential, so these are at most the cardholders whose lists a key has read.
        """
        key = self._deny_list.key_of(issuer_id)
        found: dict[str, Touched] = {}
        gone = []
        for document in self._entries(issuer_id, window):
            told = (document["actor"], document["action"], _at(document))
            if document["subject"]:
                _note(found, document["subject"], told)
            for campaign_id, meant in self._named(issuer_id, document):
                for cardholder_id in meant:
                    _note(found, erased_hash(key, cardholder_id), told, cardholder_id)
                if not meant:
                    gone.append(campaign_id)
        for at, cardholder_id in self._served(issuer_id, window) if served else ():
            _note(found, erased_hash(key, cardholder_id), ("-", SERVED, at), cardholder_id)
        self._name(issuer_id, found, lambda one: erased_hash(key, one))
        return Incident(found, tuple(sorted(set(gone))))

    def _entries(self, issuer_id: str, window: Window) -> Iterator[dict[str, Any]]:
        after = 0
        while page := self._audit.page(issuer_id, after=after, limit=CHUNK):
            yield from filter(window.covers, map(AuditEntry.document, page))
            after = page[-1].seq

    def _named(self, issuer_id: str, document: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """Campaigns that an export read out, with those whom it named as far as they are kept.

        An audience names the treated, outcomes both arms.
        """
        action, detail = document["action"], document["detail"]
        if action == AUDIENCE:
            meant = self._meant(issuer_id, detail["campaign_id"])
            yield detail["campaign_id"], [one.cardholder_id for one in meant if one.treated]
        elif action == OUTCOMES:
            for campaign_id in detail["campaign_ids"]:
                meant = self._meant(issuer_id, campaign_id)
                yield campaign_id, [one.cardholder_id for one in meant]

    def _meant(self, issuer_id: str, campaign_id: str) -> list[Meant]:
        return [one for part in self._rosters.meant(issuer_id, campaign_id) for one in part]

    def _served(self, issuer_id: str, window: Window) -> list[tuple[datetime, str]]:
        name = SERVES.key(issuer_id)
        first, until = microseconds(window.since) // 1000, microseconds(window.until)

        def read(store: redis.Redis) -> list[tuple[datetime, str]]:
            found = documents_of(store, name, b"serve", first=f"{max(first, 0)}-0")
            dated = ((int(position.split(b"-")[0]), one) for position, one in found)
            return [
                (instant(at * 1000), document["cardholder_id"])
                for at, document in dated
                if at * 1000 < until
            ]

        return self._cache.ask_patiently(read)

    def _name(
        self, issuer_id: str, found: dict[str, Touched], hashed: Callable[[str], str]
    ) -> None:
        """Give those their ids back whom the store still holds."""
        opening = CARDHOLDER.key(issuer_id, "")

        def ids(store: redis.Redis) -> list[str]:
            names = store.scan_iter(f"{opening}*", count=CHUNK)
            return [name.decode().removeprefix(opening) for name in names]

        lacking = {one for one, touched in found.items() if touched.cardholder_id is None}
        for cardholder_id in self._durable.ask_patiently(ids) if lacking else ():
            if (subject := hashed(cardholder_id)) in lacking:
                found[subject].cardholder_id = cardholder_id


def _at(document: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(document["at"])


def _note(
    found: dict[str, Touched],
    subject: str,
    told: tuple[str, str, datetime],
    cardholder_id: str | None = None,
) -> None:
    """Add one deed to what is known of a cardholder."""
    actor, action, at = told
    touched = found.setdefault(subject, Touched(subject, at, at, cardholder_id))
    touched.cardholder_id = touched.cardholder_id or cardholder_id
    touched.first_at, touched.last_at = min(touched.first_at, at), max(touched.last_at, at)
    touched.actions[action] += 1
    touched.actors.add(actor)
