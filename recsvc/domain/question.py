"""What is asked, and what is answered: frozen values between the API and the decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from embeddings.catalog import Channel, Item, ItemKind
from recsvc.domain.cardholder import Activation
from recsvc.domain.eligibility.circumstances import BOTH_KINDS
from recsvc.domain.eligibility.refusal import Refusal

MAX_LIMIT = 100
MAX_RANKED = 500


class Source(StrEnum):
    """Who proposed an item."""

    PERSONAL = "personal"
    SIMILAR = "similar"
    POPULAR = "popular"
    NEW = "new"
    PROMOTED = "promoted"
    EXPLORATION = "exploration"


class Shortfall(StrEnum):
    """Why a list is shorter than asked for."""

    CATALOGUE_EMPTY = "catalogue_empty"
    NOTHING_ELIGIBLE = "nothing_eligible"
    TOO_FEW_ELIGIBLE = "too_few_eligible"
    STRICT = "strict"
    CAPS = "caps"


class Lacking(StrEnum):
    """What an answer had to do without; the words of the API's ``degraded``."""

    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request for recommendations, checked.

    Parameters
    ----------
    request_id : str
    cardholder_id : str
    limit : int, 1 to 100
    kinds : frozenset of ItemKind
    placement, channel, city, category : optional
        ``city`` is where he is now and counts instead of the profile's.
    exclude : frozenset of item ids
    strict : bool
        Nothing but what suits this cardholder: no popular and no new filler.
    locale : str
    """

    request_id: str
    cardholder_id: str
    limit: int = 10
    kinds: frozenset[ItemKind] = BOTH_KINDS
    placement: str | None = None
    channel: Channel | None = None
    city: str | None = None
    category: str | None = None
    exclude: frozenset[str] = frozenset()
    strict: bool = False
    locale: str = "zh-CN"

    def __post_init__(self) -> None:
        """Refuse a limit that no list can have."""
        if not 1 <= self.limit <= MAX_LIMIT:
            raise ValueError(f"limit: {self.limit} must be 1 to {MAX_LIMIT}")


class Candidate(NamedTuple):
    """An eligible item proposed.

    Parameters
    ----------
    row : int              item row
    score : float          comparable within one source
    source : Source
    segment : str, optional
        The segment in which a popular item is popular.
    propensity : float
        Probability, within (0, 1], with which chance put it where it stands.
    """

    row: int
    score: float
    source: Source
    segment: str | None = None
    propensity: float = 1.0


class Reason(NamedTuple):
    """Why an item is shown: a code, a sentence in the asked language, and what is true of him."""

    code: str
    text: str
    evidence: tuple[Mapping[str, Any], ...] = ()


class ServedItem(NamedTuple):
    """One place of a list; `propensity` as in Candidate."""

    rank: int
    item: Item
    row: int
    score: float
    source: Source
    activation: Activation
    reasons: tuple[Reason, ...]
    serve_token: str
    propensity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One list and everything the API says about it."""

    request_id: str
    issuer_id: str
    cardholder_id: str
    personalised: bool
    model_version: str | None
    catalog_version: str
    ranking: str
    experiment: str | None
    requested: int
    items: tuple[ServedItem, ...]
    shortfall_reason: Shortfall | None
    degraded: tuple[str, ...] = ()

    @property
    def returned(self) -> int:
        """Number of items in the list."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One of the given items in its order for a cardholder."""

    rank: int
    item_id: str
    score: float
    source: Source


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One of the given items that he may not have, and why."""

    item_id: str
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The given items: those he may have in order, and the others with their reasons."""

    personalised: bool
    model_version: str | None
    catalog_version: str
    ranked: tuple[RankedItem, ...]
    refused: tuple[RefusedItem, ...]
    degraded: tuple[str, ...] = ()
