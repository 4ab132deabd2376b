"""Bringing new and revoked API keys into a worker; in a thread of its own, so nothing delays it."""

from collections.abc import Mapping
from typing import Protocol

from recsvc.stores.entrance.api_keys import ApiKey


class KeysAtSource(Protocol):
    """Where keys are kept."""

    def version(self) -> int:
        """A number that grows with each change of any key."""

    def all(self) -> Mapping[str, ApiKey]:
        """Every key by its id."""


class KeysAtHand(Protocol):
    """Where keys are asked for."""

    def replace(self, keys: Mapping[str, ApiKey]) -> None:
        """Take these keys in place of all others."""


class KeyFollower:
    """Keeps the keys at hand up with those in the store.

    Parameters
    ----------
    source : where keys are kept
    at_hand : what is kept up
    """

    def __init__(self, source: KeysAtSource, at_hand: KeysAtHand) -> None:
        self._source = source
        self._at_hand = at_hand
        self._version: int | None = None

    def follow(self) -> None:
        """Bring in changed keys; one round trip when nothing changed.

        Raises
        ------
        StoreAwayError
            the keys known so far go on
        """
        version = self._source.version()
        if version != self._version:
            self._at_hand.replace(self._source.all())
            self._version = version
