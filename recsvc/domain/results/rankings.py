"""What several rankings earned, side by side: by cardholder, since cardholders were assigned.

A cardholder counts for the ranking of the lists he was served. What he did counts when it was with
an item that such a list had shown him before: each kind of deed once an item, so that nobody who
clicks all day outweighs the others. Who was served by two rankings (the experiment was changed
meanwhile) counts for none and is told apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from recsvc.domain.results.arms import Arm
from recsvc.domain.results.effect import Effect, RatioCheck, difference, sample_ratio

DEEDS = ("clicked", "activated", "redeemed")
SLACK_MS = 5_000
"""Lists are written behind their answers, so that a deed may be on record before its list."""


class Served(NamedTuple):
    """One personalised list: when (ms), to whom, by which ranking, of which items."""

    at_ms: int
    cardholder_id: str
    ranking: str
    item_ids: tuple[str, ...]


class Deed(NamedTuple):
    """What a cardholder did with an item: when (ms) and what."""

    at_ms: int
    cardholder_id: str
    kind: str
    item_id: str


@dataclass(slots=True)
class _Seen:
    """One cardholder: his ranking, lists, and what he was shown when for the first time."""

    ranking: str
    lists: int = 0
    shown: dict[str, int] = field(default_factory=dict)
    did: set[tuple[str, str]] = field(default_factory=set)
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kind of deed under one ranking, and the difference to the default one.

    Parameters
    ----------
    per_cardholder : float   mean number of items
    effect : ranking minus default; None for the default itself and for too few
    """

    per_cardholder: float
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class RankingResult:
    """What one ranking did.

    Parameters
    ----------
    cardholders, lists : int
    outcomes : by kind of deed
    ratio : whether chance alone made the sizes of this arm and the default one; None for it
    """

    cardholders: int
    lists: int
    outcomes: Mapping[str, Outcome]
    ratio: RatioCheck | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rankings in the order of their shares' mapping, and how many cardholders had two."""

    rankings: Mapping[str, RankingResult]
    mixed: int


def compare(
    served: Iterable[Served], deeds: Iterable[Deed], shares: Mapping[str, int]
) -> Comparison:
    """Rankings side by side.

    Parameters
    ----------
    served : personalised lists of the window; those of rankings without a share are left out
    deeds : of the same window, in any order
    shares : basis points of the cardholders by ranking, the default one first
    """
    seen = _seen(served, shares)
    _add_deeds(seen, deeds)
    whole = [one for one in seen.values() if not one.is_mixed]
    by_name = {name: [one for one in whole if one.ranking == name] for name in shares}
    default = next(iter(shares))
    found = {
        name: RankingResult(
            len(own),
            sum(one.lists for one in own),
            {kind: _outcome(kind, own, by_name[default], name == default) for kind in DEEDS},
            _ratio(name, default, by_name, shares),
        )
        for name, own in by_name.items()
    }
    return Comparison(found, len(seen) - len(whole))


def _seen(served: Iterable[Served], shares: Mapping[str, int]) -> dict[str, _Seen]:
    """Cardholders by what they were served."""
    seen: dict[str, _Seen] = {}
    for one in served:
        if one.ranking not in shares:
            continue
        own = seen.setdefault(one.cardholder_id, _Seen(one.ranking))
        own.is_mixed |= own.ranking != one.ranking
        own.lists += 1
        for item_id in one.item_ids:
            own.shown[item_id] = min(one.at_ms, own.shown.get(item_id, one.at_ms))
    return seen


def _add_deeds(seen: Mapping[str, _Seen], deeds: Iterable[Deed]) -> None:
    for deed in deeds:
        own = seen.get(deed.cardholder_id)
        if own is None or deed.kind not in DEEDS:
            continue
        shown_ms = own.shown.get(deed.item_id)
        if shown_ms is not None and deed.at_ms + SLACK_MS >= shown_ms:
            own.did.add((deed.kind, deed.item_id))


def _outcome(kind: str, own: list[_Seen], base: list[_Seen], is_default: bool) -> Outcome:  # noqa: FBT001 - a row of the table or its first
    arm = _arm(kind, own)
    return Outcome(arm.mean, None if is_default else difference(arm, _arm(kind, base)))


def _arm(kind: str, cardholders: list[_Seen]) -> Arm:
    counts = [sum(done == kind for done, _ in one.did) for one in cardholders]
    return Arm.of(np.array(counts, np.float64))


def _ratio(
    name: str,
    default: str,
    by_name: Mapping[str, list[_Seen]],
    shares: Mapping[str, int],
) -> RatioCheck | None:
    """Sizes of an arm and of the default one against their shares of the two together."""
    both = shares[name] + shares[default]
    if name == default or not both:
        return None
    return sample_ratio(
        len(by_name[name]), len(by_name[default]), round(10_000 * shares[default] / both)
    )
