"""Profiles and consents: one hash a cardholder, so that one answer needs one round trip."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any, NamedTuple

import redis

from recsvc.domain.cardholder import CardholderState, Consent, Profile
from recsvc.stores import codec
from recsvc.stores.client import Connection, read_together
from recsvc.stores.denylist import DenyList
from recsvc.stores.event_codec import contacts_of, instants_of, item_use, uses_by_item
from recsvc.stores.keys import CARDHOLDER, ERASED, NOTICE

Fields = dict[bytes, bytes]


class CardholderStore:
    """Reads and writes what is known of cardholders; answers `ports.CardholderStates`."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list

    def state_of(self, issuer_id: str, cardholder_id: str) -> CardholderState:
        """State of one cardholder; StoreAwayError when the store gives no answer in time."""
        return self.states_of(issuer_id, (cardholder_id,))[0]

    def states_of(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> tuple[CardholderState, ...]:
        """States in the order asked, one round trip for all; StoreAwayError as above."""
        keys = [CARDHOLDER.key(issuer_id, cardholder_id) for cardholder_id in cardholder_ids]
        hashes = [self._deny_list.hash_of(issuer_id, one) for one in cardholder_ids]
        found = self._durable.ask(lambda store: _read(store, issuer_id, keys, hashes))
        return tuple(map(_state, cardholder_ids, found.fields, found.erased, repeat(found.notice)))

    def put_profile(self, issuer_id: str, cardholder_id: str, profile: Profile) -> None:
        """Replace the profile of a cardholder."""
        self._set(issuer_id, cardholder_id, "profile", codec.encode_profile(profile))

    def put_consent(self, issuer_id: str, cardholder_id: str, consent: Consent) -> None:
        """Replace the consent of a cardholder."""
        self._set(issuer_id, cardholder_id, "consent", codec.encode_consent(consent))

    def put_many(
        self, issuer_id: str, entries: Sequence[tuple[str, Profile, Consent | None]]
    ) -> None:
        """Replace many profiles, and each consent that is given, in one round trip."""

        def write(store: redis.Redis) -> None:
            pipeline = store.pipeline(transaction=False)
            for cardholder_id, profile, consent in entries:
                fields: dict[Any, Any] = {"profile": codec.encode_profile(profile)}
                if consent is not None:
                    fields["consent"] = codec.encode_consent(consent)
                pipeline.hset(CARDHOLDER.key(issuer_id, cardholder_id), mapping=fields)
            pipeline.execute()

        self._durable.ask_patiently(write)

    def _set(self, issuer_id: str, cardholder_id: str, field: str, value: bytes) -> None:
        key = CARDHOLDER.key(issuer_id, cardholder_id)
        self._durable.ask(lambda store: store.hset(key, field, value))


class _Found(NamedTuple):
    """Answer of the one round trip."""

    fields: list[Fields]
    erased: list[bool]
    notice: str | None


def _read(store: redis.Redis, issuer_id: str, keys: Sequence[str], hashes: Sequence[str]) -> _Found:
    commands = [
        *(("HGETALL", key) for key in keys),
        ("HMGET", ERASED.key(issuer_id), *hashes),
        ("HGET", NOTICE.key(issuer_id), "version"),
    ]
    *flat, erased, notice = read_together(store, commands)
    fields = [dict(zip(one[::2], one[1::2], strict=True)) for one in flat]
    version = notice.decode() if notice else None
    return _Found(fields, [one is not None for one in erased], version)


def _state(
    cardholder_id: str, fields: Fields, is_erased: object, notice: str | None
) -> CardholderState:
    profile, consent = fields.get(b"profile"), fields.get(b"consent")
    return CardholderState(
        cardholder_id=cardholder_id,
        profile=codec.decode_profile(profile) if profile else Profile(),
        consent=_in_force(codec.decode_consent(consent), notice) if consent else Consent(),
        known=profile is not None,
        contacts=contacts_of(fields),
        dismissals=instants_of(fields, b"d:"),
        uses={item_id: item_use(uses) for item_id, uses in uses_by_item(fields).items()},
        erased=bool(is_erased),
    )


def _in_force(consent: Consent, notice: str | None) -> Consent:
    """The consent as far as it was given to the notice in force; none to an earlier one."""
    if notice is None or consent.purpose_version == notice:
        return consent
    return replace(consent, personalisation=False, marketing={})
