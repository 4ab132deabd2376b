"""A key that has opened once opens as long as it is good, and not a moment longer."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from recsvc.api.http.auth import Caller, KeyRing
from recsvc.stores.entrance.api_keys import ApiKey, ApiKeyStore
from tests.service import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring(clock: Clock) -> KeyRing:
    return KeyRing(clock)


def a_key(clock: Clock, hours: float | None = None) -> tuple[ApiKey, str]:
    """A key, perhaps one that expires, and the text that opens with it."""
    expires_at = None if hours is None else clock() + timedelta(hours=hours)
    return ApiKeyStore.drawn("demo", ("rec:read",), now=clock(), expires_at=expires_at)


def test_it_opens_again_and_again_for_the_same_caller(ring: KeyRing, clock: Clock) -> None:
    key, shown = a_key(clock)
    ring.replace({key.key_id: key})

    callers = [ring.caller_of(shown) for _ in range(3)]
    assert callers == [Caller("demo", frozenset({"rec:read"}), key.key_id)] * 3


def test_f43_revoked_it_opens_nothing_though_it_opened_before(ring: KeyRing, clock: Clock) -> None:
    key, shown = a_key(clock)
    ring.replace({key.key_id: key})
    before = ring.caller_of(shown)
    ring.replace({key.key_id: replace(key, revoked_at=clock())})
    revoked = ring.caller_of(shown)
    ring.replace({})

    assert before is not None
    assert revoked is None
    assert ring.caller_of(shown) is None


def test_f43_it_expires_though_it_opened_before(ring: KeyRing, clock: Clock) -> None:
    key, shown = a_key(clock, hours=1)
    ring.replace({key.key_id: key})
    before = ring.caller_of(shown)
    clock.pass_time(hours=1)

    assert before is not None
    assert ring.caller_of(shown) is None


def test_another_secret_for_a_key_that_opened_opens_nothing(ring: KeyRing, clock: Clock) -> None:
    key, shown = a_key(clock)
    ring.replace({key.key_id: key})
    ring.caller_of(shown)
    wrong = shown[:-1] + ("0" if shown[-1] != "0" else "1")

    assert [ring.caller_of(text) for text in (wrong, wrong, shown + "0")] == [None, None, None]


class RevokedMeanwhile(Mapping[str, ApiKey]):
    """Keys that are replaced, as by the watcher, while a request looks one up."""

    def __init__(self, key: ApiKey, ring: KeyRing, then: Mapping[str, ApiKey]) -> None:
        self._key, self._ring, self._then = key, ring, then

    def __getitem__(self, key_id: str) -> ApiKey:
        self._ring.replace(self._then)
        return self._key

    def __iter__(self) -> Iterator[str]:
        return iter((self._key.key_id,))

    def __len__(self) -> int:
        return 1


def test_what_was_opened_with_old_keys_is_not_known_to_the_new_ones(
    ring: KeyRing, clock: Clock
) -> None:
    key, shown = a_key(clock)
    gone = {key.key_id: replace(key, revoked_at=clock())}
    ring.replace(RevokedMeanwhile(key, ring, gone))
    during = ring.caller_of(shown)

    assert during is not None
    assert ring.caller_of(shown) is None
