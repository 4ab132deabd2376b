"""All that eligibility judges besides the item: when, for whom, where, and what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from embeddings.catalog import Channel, ItemKind
from recsvc.domain.cardholder import ItemUse, Profile
from recsvc.domain.moment import Moment

BOTH_KINDS = frozenset(ItemKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """One cardholder at one moment.

    Parameters
    ----------
    moment : Moment
    profile : Profile
        What he holds and where he is.
    channel : Channel, optional
        None when it is not known; items of certain channels are then not refused for it.
    sees_segments, sees_history : bool
        Whether his segments, and his purchases, may be looked at. An item whose terms need what
        may not be looked at is refused with ``personalisation_required``.
    dismissals : mapping of item id to the instant at which it lapses
    uses : mapping of item id to ItemUse
    exclude : frozenset of item ids
    kinds : frozenset of ItemKind
    category : str, optional
    """

    moment: Moment
    profile: Profile = field(default_factory=Profile)
    channel: Channel | None = None
    sees_segments: bool = False
    sees_history: bool = False
    dismissals: Mapping[str, datetime] = field(default_factory=dict)
    uses: Mapping[str, ItemUse] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    kinds: frozenset[ItemKind] = BOTH_KINDS
    category: str | None = None

    def dismissed(self) -> list[str]:
        """Ids of the items whose dismissal has not lapsed."""
        return [item for item, until in self.dismissals.items() if self.moment.at < until]
