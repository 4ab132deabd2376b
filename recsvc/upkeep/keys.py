"""Bringing new and revoked API keys into a worker; in a thread of its own, so nothing delays it."""

from collections.abc import Mapping
from typing import Protocol

from recsvc.api.http.auth import KeyRing
from recsvc.stores.entrance.api_keys import ApiKey


class KeysAtSource(Protocol):
    """Where keys are kept."""

    def version(self) -> int:
        """A number that grows with each change of any key."""

    def all(self) -> Mapping[str, ApiKey]:
        """Every key by its id."""


class KeyFollower:
    """Keeps the key ring up with the store.

    Parameters
    ----------
    source : where keys are kept
    ring : what is kept up
    """

    def __init__(self, source: KeysAtSource, ring: KeyRing) -> None:
        self._source = source
        self._ring = ring
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
            self._ring.replace(self._source.all())
            self._version = version
