"""Benefits and offers at real places, each valid by the catalogue's own schema."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from embeddings.catalog import BenefitType, Catalog, Item, RewardType, parse_item
from training.errors import BadInputError
from training.illustrate.places import Place
from training.illustrate.wording import priced, worded
from training.simulate.offerings import BENEFIT_SHARE, benefit_blanks
from training.simulate.rewards import draw_reward
from training.simulate.trades import CATEGORY_NAMES
from training.simulate.wording import BENEFITS, OFFERS, BenefitText

PARTNERS = 6
WHOLE_CATEGORY = 1 / 7
FOR_PARTNERS = (
    (BenefitType.POINTS_MULTIPLIER, RewardType.POINTS_MULTIPLIER),
    (BenefitType.CASHBACK, RewardType.CASHBACK_PERCENT),
    (BenefitType.EXPERIENCE, RewardType.EXPERIENCE),
    (BenefitType.INSTALMENT, RewardType.INSTALMENT),
)
KINDS = {
    RewardType.SPEND_AND_GET: 6,
    RewardType.CASHBACK_PERCENT: 3,
    RewardType.STATEMENT_CREDIT: 3,
    RewardType.INSTANT_DISCOUNT: 3,
    RewardType.PERCENT_DISCOUNT: 3,
    RewardType.POINTS_MULTIPLIER: 2,
    RewardType.CASHBACK_FIXED: 2,
    RewardType.RANDOM_DISCOUNT: 2,
    RewardType.COUPON: 2,
    RewardType.POINTS_BONUS: 1,
    RewardType.EXPERIENCE: 0.5,
}
"""How often each type is seen; those that ask for a large purchase are left to benefits."""

SMALL = 5
FOR_SMALL = (RewardType.POINTS_MULTIPLIER, RewardType.CASHBACK_PERCENT)
"""Types that make sense where a visit costs less than ``SMALL`` units of money."""


def illustrate(places: Sequence[Place], n_items: int, *, seed: int, now: datetime) -> Catalog:
    """Catalogue of ``n_items`` items at these places, the same for the same arguments.

    Every item is open to every card, since usage alone says nothing of tiers, and live at ``now``.

    Parameters
    ----------
    places : sequence of Place, most visited first
    n_items : int, at least 1
    seed : int
    now : datetime, aware

    Raises
    ------
    BadInputError
        There is no place to advertise at.
    """
    if not places:
        raise BadInputError("usage: no merchant with a purchase is left to make offers at")
    rng = np.random.default_rng(seed)
    benefits = _benefits(rng, places, round(BENEFIT_SHARE * n_items), now)
    offers = [_offer(rng, n, places, now) for n in range(n_items - len(benefits))]
    return Catalog.of([*benefits, *offers])


def _benefits(
    rng: np.random.Generator, places: Sequence[Place], limit: int, now: datetime
) -> list[Item]:
    """Benefits whose categories are in the usage, then perks at partners of each category."""
    codes = {place.mcc for place in places}
    known = [text for text in BENEFITS if codes & set(text.mccs)]
    words = list(dict.fromkeys(place.category for place in places))
    perks = [(word, kind) for kind in range(len(FOR_PARTNERS)) for word in words]
    documents = [_of_text(rng, text, places) for text in known[:limit]]
    documents += [
        _of_partners(rng, word, kind, places) for word, kind in perks[: limit - len(documents)]
    ]
    return [
        parse_item({"item_id": f"benefit_{n:04d}", **document, "terms": _window(rng, now)})
        for n, document in enumerate(documents)
    ]


def _of_text(rng: np.random.Generator, text: BenefitText, places: Sequence[Place]) -> Any:  # noqa: ANN401
    """A benefit of the simulated catalogue at the places of its categories."""
    partners = [place for place in places if place.mcc in text.mccs]
    title, long = worded(text.phrase, partners[0].currency).filled(**benefit_blanks(rng))
    mccs = sorted({str(place.mcc) for place in partners})
    return _benefit(text.kind, text.category, title, long, partners) | {"mccs": mccs}


def _of_partners(rng: np.random.Generator, word: str, number: int, places: Sequence[Place]) -> Any:  # noqa: ANN401
    """A perk at all places of one category, named after the most visited."""
    benefit_type, kind = FOR_PARTNERS[number]
    partners = [place for place in places if place.category == word]
    first = partners[0]
    _, blanks = draw_reward(rng, kind, first.typical)
    title, long = worded(OFFERS[kind], first.currency).filled(
        where_zh=f"{_spaced(first.name)}等合作商户",
        where_en=f"{first.name} and other partners",
        **blanks,
    )
    return _benefit(benefit_type, word, title, long, partners)


def _benefit(
    kind: BenefitType,
    category: str,
    title: dict[str, str],
    long: dict[str, str],
    partners: Sequence[Place],
) -> dict[str, Any]:
    """What all benefits share."""
    return {
        "kind": "benefit",
        "benefit_type": kind.value,
        "category": category,
        "title": title,
        "description": long,
        "merchant_ids": [place.merchant_id for place in partners[:PARTNERS]],
        "quota": {"count": 12, "period": "year"},
        "funding": "issuer",
    }


def _offer(rng: np.random.Generator, number: int, places: Sequence[Place], now: datetime) -> Item:
    """An offer at the next place, or at all merchants of its category."""
    place = places[number % len(places)]
    kinds = FOR_SMALL if place.typical < SMALL else tuple(KINDS)
    weights = np.array([KINDS[kind] for kind in kinds], np.float64)
    kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    whole = rng.random() < WHOLE_CATEGORY and place.mcc is not None
    zh, en = CATEGORY_NAMES.get(place.category, (place.category, place.category))
    where = (f"{zh}商户", f"{en} merchants") if whole else (_spaced(place.name), place.name)
    reward, blanks = draw_reward(rng, kind, place.typical)
    title, long = worded(OFFERS[kind], place.currency).filled(
        where_zh=where[0], where_en=where[1], **blanks
    )
    document = {
        "item_id": f"offer_{number:05d}",
        "kind": "merchant_offer",
        "title": title,
        "description": long,
        "category": place.category,
        "reward": priced(reward, place.currency),
        "objective": str(rng.choice(("acquire", "grow", "retain"))),
        "terms": _window(rng, now) | {"requires_activation": bool(rng.random() < 0.5)},
        "budget": {"per_cardholder": {"count": 1, "period": "month"}},
        "funding": str(rng.choice(("merchant", "shared"))),
        "sponsored": bool(rng.random() < 0.03),
    }
    at = {"merchant_id": None if whole else place.merchant_id, "mcc": place.mcc}
    return parse_item(document | {name: value for name, value in at.items() if value is not None})


def _spaced(name: str) -> str:
    """A name as it stands in Chinese text: a space after Latin letters and figures."""
    return f"{name} " if name[-1].isascii() else name


def _window(rng: np.random.Generator, now: datetime) -> dict[str, Any]:
    """Whole days about now: begun up to eight weeks ago, over in one to six months."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = today - timedelta(days=int(rng.integers(1, 56)))
    ends_at = today + timedelta(days=int(rng.integers(30, 180)))
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
