"""What decisions need of storage; the stores answer these protocols."""

from collections.abc import Sequence
from typing import Protocol

from recsvc.domain.cardholder import CardholderState


class CardholderStates(Protocol):
    """Everything one answer needs of a cardholder, in one round trip to the store."""

    @property
    def is_away(self) -> bool:
        """Whether the store gave no answer when it was asked last."""

    def state_of(self, issuer_id: str, cardholder_id: str) -> CardholderState:
        """State of one cardholder; StoreAwayError when the store gives no answer in time."""

    def states_of(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> tuple[CardholderState, ...]:
        """States in the order asked, one round trip for all; StoreAwayError as above."""
