"""Who is left out on purpose, to measure: a sticky keyed hash of (campaign, cardholder).

The share is that of a keyed BLAKE2b-64 digest below a threshold, so the same cardholder always
falls on the same side, in the app and in every push, whichever worker asks; raising the share only
adds cardholders. The global holdout hashes the issuer's word in place of a campaign.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.campaign.hashing import Hasher, digests

BPS = 10_000
EVERY_CAMPAIGN = "*"
_SPACE = 2**64


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of cardholders who get nothing.

    Parameters
    ----------
    key : bytes       secret of the issuer, 1 to 64 bytes; nobody can work out who is held out
    campaign_id : str, or ``EVERY_CAMPAIGN`` for the global holdout
    share_bps : int   0 to 5000 basis points
    """

    key: bytes
    campaign_id: str
    share_bps: int

    def __post_init__(self) -> None:
        """Refuse a holdout that measures nothing or hashes without a key."""
        if not 0 <= self.share_bps <= BPS // 2:
            raise ValueError(f"share_bps: {self.share_bps} must be from 0 to {BPS // 2}")
        if not 1 <= len(self.key) <= 64:
            raise ValueError(f"key: {len(self.key)} bytes, must be 1 to 64")

    def holds(self, cardholder_id: str) -> bool:
        """Whether a cardholder is left out."""
        return self._number(cardholder_id) < self._threshold

    def holds_each(self, cardholder_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each cardholder is left out, shape (n,)."""
        if self._threshold == 0:
            return np.zeros(len(cardholder_ids), np.bool_)
        numbers = np.frombuffer(digests(cardholder_ids, self._begun()), ">u8")
        return np.asarray(numbers < np.uint64(self._threshold))

    @property
    def _threshold(self) -> int:
        return self.share_bps * _SPACE // BPS

    def _number(self, cardholder_id: str) -> int:
        return int.from_bytes(digests((cardholder_id,), self._begun()), "big")

    def _begun(self) -> Hasher:
        return hashlib.blake2b(f"{self.campaign_id}\n".encode(), digest_size=8, key=self.key)


def is_held_out(cardholder_id: str, holdouts: tuple[Holdout, ...]) -> bool:
    """Whether any of the holdouts (the global one, the campaign's) leaves a cardholder out."""
    return any(holdout.holds(cardholder_id) for holdout in holdouts)
