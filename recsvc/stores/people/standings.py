"""Who may be addressed: profile and consent of very many cardholders, read in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.erasure import ErasedList
from recsvc.domain.cardholder import Profile
from recsvc.stores import codec
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.access import NOTICE
from recsvc.stores.keys.cardholders import CARDHOLDER

BATCH = 2_000

# Keys: cardholders. Answers profile, consent, objection and the mark of deleted interests of each.
STANDINGS_READ = """
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = redis.call('HMGET', key, 'profile', 'consent', 'objection', 'forgot')
end
return found
"""


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """What is known of cardholders, in the order asked.

    Parameters
    ----------
    consents : bool, shape (n,)   to be chosen by his traits and addressed on the channel
    erased : bool, shape (n,)
    forgot : bool, shape (n,)     he deleted an interest, so the model's vector is not his list's
    profile_of : int32, shape (n,)   place in ``profiles``
    profiles : tuple of Profile      each distinct one once
    """

    consents: NDArray[np.bool_]
    erased: NDArray[np.bool_]
    forgot: NDArray[np.bool_]
    profile_of: NDArray[np.int32]
    profiles: tuple[Profile, ...]


class StandingStore:
    """Reads standings; four fields a cardholder, thousands in one round trip."""

    def __init__(self, durable: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._deny_list = deny_list
        self._read = Script(STANDINGS_READ)

    def read(self, issuer_id: str, cardholder_ids: Sequence[str], channel: str) -> Standings:
        """Standings of these cardholders; StoreAwayError when the store gives no answer."""
        asked = (channel, self.notice(issuer_id))
        consents: list[bool] = []
        forgot: list[bool] = []
        places: list[int] = []
        numbers: dict[bytes | None, int] = {}
        for start in range(0, len(cardholder_ids), BATCH):
            for told in self._batch(issuer_id, cardholder_ids[start : start + BATCH]):
                profile, consent, objection, mark = told
                forgot.append(mark is not None)
                places.append(numbers.setdefault(profile, len(numbers)))
                consents.append(codec.allows(profile, consent, objection, asked))
        profiles = tuple(codec.decode_profile(raw) if raw else Profile() for raw in numbers)
        return Standings(
            np.array(consents, np.bool_),
            self._erased(issuer_id, cardholder_ids),
            np.array(forgot, np.bool_),
            np.array(places, np.int32),
            profiles,
        )

    def erased(self, issuer_id: str) -> ErasedList:
        """Who was erased until now."""
        return self._deny_list.all(issuer_id)

    def notice(self, issuer_id: str) -> str | None:
        """Version of the notice in force; None when there is none."""
        name = NOTICE.key(issuer_id)
        found: Any = self._durable.ask_patiently(lambda store: store.hget(name, "version"))
        return found.decode() if isinstance(found, bytes) else None

    def _batch(self, issuer_id: str, cardholder_ids: Sequence[str]) -> list[list[bytes | None]]:
        family = CARDHOLDER.key(issuer_id, "")
        keys = [family + one for one in cardholder_ids]
        found: Any = self._durable.ask_patiently(lambda store: self._read.run(store, keys, ()))
        rows: list[list[bytes | None]] = found
        return rows

    def _erased(self, issuer_id: str, cardholder_ids: Sequence[str]) -> NDArray[np.bool_]:
        erased = self._deny_list.all(issuer_id)
        if not erased.hashes:
            return np.zeros(len(cardholder_ids), np.bool_)
        return np.fromiter(map(erased.covers, cardholder_ids), np.bool_, len(cardholder_ids))
