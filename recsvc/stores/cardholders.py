"""Profiles and consents: one hash a cardholder, so that one answer needs one round trip."""

from collections.abc import Sequence

import redis

from recsvc.domain.cardholder import CardholderState, Consent, Profile
from recsvc.stores import codec
from recsvc.stores.client import Connection, hash_of
from recsvc.stores.keys import CARDHOLDER

Fields = dict[bytes, bytes]


class CardholderStore:
    """Reads and writes what is known of cardholders; answers `ports.CardholderStates`."""

    def __init__(self, durable: Connection) -> None:
        self._durable = durable

    def state_of(self, issuer_id: str, cardholder_id: str) -> CardholderState:
        """State of one cardholder; StoreAwayError when the store gives no answer in time."""
        key = CARDHOLDER.key(issuer_id, cardholder_id)
        return _state(cardholder_id, self._durable.ask(lambda store: hash_of(store, key)))

    def states_of(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> tuple[CardholderState, ...]:
        """States in the order asked, one round trip for all; StoreAwayError as above."""
        keys = [CARDHOLDER.key(issuer_id, cardholder_id) for cardholder_id in cardholder_ids]
        answers = self._durable.ask(lambda store: _hashes(store, keys))
        return tuple(map(_state, cardholder_ids, answers))

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
                fields: dict[str | bytes, bytes | float | int | str] = {
                    "profile": codec.encode_profile(profile)
                }
                if consent is not None:
                    fields["consent"] = codec.encode_consent(consent)
                pipeline.hset(CARDHOLDER.key(issuer_id, cardholder_id), mapping=fields)
            pipeline.execute()

        self._durable.ask_patiently(write)

    def _set(self, issuer_id: str, cardholder_id: str, field: str, value: bytes) -> None:
        key = CARDHOLDER.key(issuer_id, cardholder_id)
        self._durable.ask(lambda store: store.hset(key, field, value))


def _hashes(store: redis.Redis, keys: Sequence[str]) -> list[Fields]:
    pipeline = store.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    answers: list[Fields] = pipeline.execute()
    return answers


def _state(cardholder_id: str, fields: Fields) -> CardholderState:
    profile, consent = fields.get(b"profile"), fields.get(b"consent")
    return CardholderState(
        cardholder_id=cardholder_id,
        profile=codec.decode_profile(profile) if profile else Profile(),
        consent=codec.decode_consent(consent) if consent else Consent(),
        known=profile is not None,
    )
