"""Fields of a cardholder's hash to the state that decisions see."""

from collections.abc import Sequence
from typing import Any

from recsvc.domain.cardholder import CardholderState, Profile
from recsvc.stores import codec
from recsvc.stores.events.codec import (
    contacts_of,
    dismissals_of,
    instants_of,
    item_use,
    uses_by_item,
)

PLAIN = frozenset((b"profile", b"consent", b"objection", b"rev", b"act"))
"""Fields that tell nothing of what he did with items."""


def state_of_fields(
    cardholder_id: str, flat: Sequence[bytes], mark: bytes | None, notice: str | None
) -> CardholderState:
    """State of one cardholder.

    Parameters
    ----------
    flat : names and values of his hash in turn; none when there is no such hash
    mark : what stands for him on the list of the erased, if anything does
    notice : version of the notice in force, if there is one
    """
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    told = fields.get(b"profile")
    profile = codec.decode_profile(told) if told else Profile()
    consent = codec.decode_consent(fields.get(b"consent"), fields.get(b"objection"))
    return CardholderState(
        cardholder_id=cardholder_id,
        profile=profile,
        consent=consent.in_force(notice, minor=profile.minor),
        known=told is not None,
        erased=mark is not None,
        **({} if fields.keys() <= PLAIN else _history(fields)),
    )


def _history(fields: dict[bytes, bytes]) -> dict[str, Any]:
    """What he did, by its place in his state; most of an issuer's cardholders did nothing yet."""
    return {
        "contacts": contacts_of(fields),
        "dismissals": dismissals_of(fields),
        "uses": {item_id: item_use(uses) for item_id, uses in uses_by_item(fields).items()},
        "forgotten": instants_of(fields, b"f:"),
    }
