"""The catalogue: benefits and merchant offers of every kind, with their latent positions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Benefit, MerchantOffer, RewardType, parse_item
from training.simulate.cardholders import TASTE_DIMS
from training.simulate.merchants import (
    PERSONA_PULL,
    PRICE_PULL,
    Merchants,
    merchant_id,
)
from training.simulate.parameters import Parameters, chance
from training.simulate.places import CITIES, OFFER_CHANNELS, PRODUCTS, SEGMENTS, TIERS
from training.simulate.rewards import draw_reward
from training.simulate.trades import CATEGORY_NAMES, PERSONAS, TRADES, persona_loads
from training.simulate.wording import BENEFITS, OFFERS, BenefitText

BENEFIT_SHARE = 0.3
OWN_NOISE = 0.25
ONCE_A_MONTH = (RewardType.CASHBACK_PERCENT, RewardType.SPEND_AND_GET)
"""Types whose wording promises one use a month."""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """All items, one row each, in the order of their ids.

    Parameters
    ----------
    catalog : list of Benefit or MerchantOffer
    position : float32, shape (n, TASTE_DIMS)
        Times a cardholder's taste: part of the log-odds of activation.
    offset : float32
        What everyone likes about it.
    city : int8
        Row of ``CITIES`` in which it is of use; -1 for everywhere.
    product_bits, tier_bits, city_bits, segment_bits : int64
        Whom the terms admit, one bit a row of its table; 0 for everyone.
    starts, ends : int32
        First and last-plus-one day of the window, counted from its opening; may lie outside.
    recency_merchant, recency_days : int32
        Only those without a purchase at this merchant for so many days; -1 and 0 for all.
    cold : bool
        Never shown to anyone.
    """

    catalog: list[Benefit | MerchantOffer]
    position: NDArray[np.float32]
    offset: NDArray[np.float32]
    city: NDArray[np.int8]
    product_bits: NDArray[np.int64]
    tier_bits: NDArray[np.int64]
    city_bits: NDArray[np.int64]
    segment_bits: NDArray[np.int64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    recency_merchant: NDArray[np.int32]
    recency_days: NDArray[np.int32]
    cold: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.catalog)

    @property
    def ids(self) -> list[str]:
        """Ids in row order."""
        return [item.item_id for item in self.catalog]


def draw_items(asked: Parameters, merchants: Merchants) -> Items:
    """Draw the catalogue from the seed; every type is there when there is room for it."""
    rng = chance(asked.seed, 5)
    n_benefits = round(BENEFIT_SHARE * asked.items)
    links: list[NDArray[np.int64]] = []
    catalog: list[Benefit | MerchantOffer] = []
    for number in range(n_benefits):
        benefit, partners = _benefit(rng, number, asked, merchants)
        catalog.append(benefit)
        links.append(partners)
    for number in range(asked.items - n_benefits):
        offer, partners = _offer(rng, number, asked, merchants)
        catalog.append(offer)
        links.append(partners)
    return _compiled(rng, asked, catalog, links, merchants)


def _benefit(
    rng: np.random.Generator, number: int, asked: Parameters, merchants: Merchants
) -> tuple[Benefit, NDArray[np.int64]]:
    """One benefit and the rows of its partners."""
    text = BENEFITS[number % len(BENEFITS)]
    partners = _partners(rng, text, merchants) if rng.random() < 0.6 else np.empty(0, np.int64)
    blanks = _blanks(rng)
    title, long = text.phrase.filled(**blanks)
    terms = _benefit_terms(rng, text, asked)
    if number >= len(BENEFITS):
        _for_a_product(rng, number, text, title, terms)
    document: dict[str, Any] = {
        "item_id": f"benefit_{number:04d}",
        "kind": "benefit",
        "benefit_type": text.kind.value,
        "title": title,
        "description": long,
        "category": text.category,
        "mccs": list(text.mccs),
        "merchant_ids": [merchant_id(int(row)) for row in partners],
        "objective": str(rng.choice(("grow", "retain"))),
        "terms": terms,
        "quota": {"count": int(blanks["count"]), "period": "year"},
        "funding": str(rng.choice(("issuer", "network"), p=(0.75, 0.25))),
        "priority": int(rng.choice((0, 0, 0, 5, 10))),
        "url": f"https://bank.example/benefits/benefit_{number:04d}",
    }
    item = parse_item(document)
    if not isinstance(item, Benefit):
        raise TypeError("a benefit document made another kind of item")
    return item, partners


def _for_a_product(
    rng: np.random.Generator,
    number: int,
    text: BenefitText,
    title: dict[str, str],
    terms: dict[str, Any],
) -> None:
    """Make a variant of a benefit that one card product carries, and say so in its title."""
    fitting = [p for p in PRODUCTS if not text.tiers or p.tier in text.tiers]
    product = fitting[int(rng.integers(len(fitting)))]
    series = number // len(BENEFITS)
    terms["card_products"] = [product.card_product_id]
    title["zh-CN"] = f"{product.zh}·{title['zh-CN']}" + (f"(第{series}期)" if series > 1 else "")
    title["en"] = f"{product.en}: {title['en']}" + (f" (series {series})" if series > 1 else "")


def _blanks(rng: np.random.Generator) -> dict[str, str]:
    """Figures for every blank that a benefit's wording may have."""
    return {
        "count": str(int(rng.choice((2, 3, 4, 6)))),
        "cover": str(int(rng.choice((50_000, 100_000, 500_000)))),
        "cap": str(int(rng.choice((50, 100, 200)))),
        "hours": str(int(rng.choice((2, 3, 4)))),
        "value": str(int(rng.choice((30, 50, 100, 200)))),
        "periods": str(int(rng.choice((3, 6, 12)))),
        "rate": str(int(rng.choice((1, 2, 3, 5)))),
        "multiplier": str(int(rng.choice((2, 3, 5)))),
    }


def _partners(
    rng: np.random.Generator, text: BenefitText, merchants: Merchants
) -> NDArray[np.int64]:
    """Up to six popular merchants of the benefit's categories that trade everywhere."""
    fits = np.isin(merchants.trade, [i for i, t in enumerate(TRADES) if t.mcc in text.mccs])
    rows = np.flatnonzero(fits & (merchants.city < 0))
    if rows.size == 0:
        return rows
    order = np.argsort(-(merchants.pull[rows] + rng.gumbel(size=rows.size)))
    return np.sort(rows[order[:6]])


def _offer(
    rng: np.random.Generator, number: int, asked: Parameters, merchants: Merchants
) -> tuple[MerchantOffer, NDArray[np.int64]]:
    """One merchant offer and the row of its merchant; a seventh are for a whole category."""
    kinds = tuple(RewardType)
    common = np.array([3, 2, 3, 2, 1, 6, 3, 2, 3, 2, 1, 0.4, 0.8])
    pick = int(rng.choice(len(kinds), p=common / common.sum()))
    kind = kinds[number] if number < len(kinds) else kinds[pick]
    whole = rng.random() < 1 / 7
    row = int(_drawn_merchant(rng, asked, merchants))
    trade = TRADES[int(merchants.trade[row])]
    reward, blanks = draw_reward(rng, kind, trade.median_yuan)
    zh_name, en_name = CATEGORY_NAMES[trade.category]
    where = (f"{zh_name}商户", f"{en_name} merchants") if whole else _names(merchants, row)
    title, long = OFFERS[kind].filled(where_zh=where[0], where_en=where[1], **blanks)
    place = -1 if whole else int(merchants.city[row])
    document = {
        "item_id": f"offer_{number:05d}",
        "kind": "merchant_offer",
        "title": title,
        "description": long,
        "category": trade.category,
        "mcc": trade.mcc,
        "reward": reward,
        "objective": str(rng.choice(("acquire", "grow", "retain"), p=(0.4, 0.4, 0.2))),
        "terms": _offer_terms(rng, number, asked, place=place, whole=whole),
        "budget": _budget(rng, asked, kind),
        "funding": str(rng.choice(("merchant", "shared", "issuer"), p=(0.6, 0.25, 0.15))),
        "sponsored": bool(rng.random() < 0.08),
        "priority": int(rng.choice((0, 0, 0, 0, 5, 10))),
        "url": f"https://bank.example/offers/offer_{number:05d}",
    }
    if not whole:
        document["merchant_id"] = merchant_id(row)
    item = parse_item(document)
    if not isinstance(item, MerchantOffer):
        raise TypeError("an offer document made another kind of item")
    return item, np.empty(0, np.int64) if whole else np.array([row])


def _drawn_merchant(rng: np.random.Generator, asked: Parameters, merchants: Merchants) -> np.int64:
    """A merchant that trades at the end of the window, popular ones more often."""
    alive = np.flatnonzero(merchants.closes >= asked.days)
    weight = np.exp(0.5 * merchants.pull[alive]) * np.where(merchants.city[alive] < 0, 3.0, 1.0)
    return np.int64(rng.choice(alive, p=weight / weight.sum()))


def _names(merchants: Merchants, row: int) -> tuple[str, str]:
    """Names of a merchant in both languages."""
    return merchants.zh[row], merchants.en[row]


def _benefit_terms(
    rng: np.random.Generator, text: BenefitText, asked: Parameters
) -> dict[str, Any]:
    """Terms of a benefit for all cards of its tiers."""
    year = asked.closes_at - timedelta(days=asked.days + int(rng.integers(0, 30)))
    terms: dict[str, Any] = {
        "starts_at": _instant(year),
        "ends_at": _instant(asked.closes_at + timedelta(days=int(rng.integers(200, 500)))),
        "requires_activation": bool(rng.random() < 0.5),
    }
    if text.tiers:
        terms["tiers"] = list(text.tiers)
    return terms


def _offer_terms(
    rng: np.random.Generator, number: int, asked: Parameters, *, place: int, whole: bool
) -> dict[str, Any]:
    """Terms of an offer: most are live at the window's end, some ended, some not yet begun."""
    starts_at, ends_at = _window(rng, asked)
    terms: dict[str, Any] = {
        "starts_at": _instant(starts_at),
        "ends_at": _instant(ends_at),
        "requires_activation": bool(rng.random() < 0.6),
    }
    if place >= 0:
        terms["cities"] = [CITIES[place].city]
    if rng.random() < 0.2:
        terms["tiers"] = list(TIERS[int(rng.integers(1, len(TIERS))) :])
    if rng.random() < 0.12:
        chosen = rng.choice(len(SEGMENTS), size=2, replace=False)
        terms["segments"] = sorted(SEGMENTS[int(i)] for i in chosen)
    if rng.random() < 0.1:
        chosen = rng.choice(len(PRODUCTS), size=4, replace=False)
        terms["card_products"] = sorted(PRODUCTS[int(i)].card_product_id for i in chosen)
    if rng.random() < 0.15:
        terms["days_of_week"] = [[5], [3], [6, 7], [1, 2, 3, 4]][int(rng.integers(4))]
    if rng.random() < 0.15:
        terms["channels"] = list(OFFER_CHANNELS[: int(rng.integers(1, 4))])
    if not whole and rng.random() < 0.12:
        terms["customer_recency"] = {"at": "merchant", "min_days": int(rng.choice((30, 60, 90)))}
    if rng.random() < 0.08:
        terms["exclusive_group"] = f"group_{number % 7}"
    return terms


def _window(rng: np.random.Generator, asked: Parameters) -> tuple[datetime, datetime]:
    """Start and end: 84 % live when usage ends, 10 % over by then, 6 % still to come."""
    now, fate = asked.closes_at, rng.random()
    if fate < 0.84:
        back, ahead = int(rng.integers(20, 240)), int(rng.integers(30, 300))
    elif fate < 0.94:
        back, ahead = int(rng.integers(90, 240)), -int(rng.integers(1, 60))
    else:
        back, ahead = -int(rng.integers(5, 40)), int(rng.integers(60, 300))
    return now - timedelta(days=back), now + timedelta(days=ahead)


def _budget(rng: np.random.Generator, asked: Parameters, kind: RewardType) -> dict[str, Any]:
    """Budget in count, sometimes in money and by day; per cardholder always."""
    total = int(max(20, round(asked.cardholders * rng.uniform(0.05, 1.5))))
    budget: dict[str, Any] = {
        "total": {"count": total},
        "per_cardholder": {
            "count": 1 if kind in ONCE_A_MONTH else int(rng.choice((1, 2, 4))),
            "period": "month" if kind in ONCE_A_MONTH else str(rng.choice(("month", "total"))),
        },
    }
    if rng.random() < 0.4:
        budget["total"]["amount"] = {"amount_minor": total * 1500, "currency": "CNY"}
    if rng.random() < 0.4:
        budget["daily"] = {"count": max(1, total // 30)}
    return budget


def _compiled(
    rng: np.random.Generator,
    asked: Parameters,
    catalog: list[Benefit | MerchantOffer],
    links: list[NDArray[np.int64]],
    merchants: Merchants,
) -> Items:
    """Arrays behind the catalogue: positions, and terms as bits."""
    terms = [item.terms for item in catalog]
    n = len(catalog)
    recency = [t.customer_recency for t in terms]
    return Items(
        catalog=catalog,
        position=_positions(rng, catalog, links, merchants),
        offset=(0.5 * rng.standard_normal(n)).astype(np.float32),
        city=np.array(
            [_place(item, rows, merchants) for item, rows in zip(catalog, links, strict=True)],
            np.int8,
        ),
        product_bits=_bits([t.card_products for t in terms], [p.card_product_id for p in PRODUCTS]),
        tier_bits=_bits([t.tiers for t in terms], TIERS),
        city_bits=_bits([t.cities for t in terms], [c.city for c in CITIES]),
        segment_bits=_bits([t.segments for t in terms], SEGMENTS),
        starts=np.array([_day(t.starts_at, asked) for t in terms], np.int32),
        ends=np.array([_day(t.ends_at, asked) for t in terms], np.int32),
        recency_merchant=np.array(
            [int(rows[0]) if r else -1 for r, rows in zip(recency, links, strict=True)], np.int32
        ),
        recency_days=np.array([r.min_days or 0 if r else 0 for r in recency], np.int32),
        cold=rng.random(n) < asked.cold_items,
    )


def _positions(
    rng: np.random.Generator,
    catalog: list[Benefit | MerchantOffer],
    links: list[NDArray[np.int64]],
    merchants: Merchants,
) -> NDArray[np.float32]:
    """Mean place of the item's categories and of its merchants, and a little of its own."""
    at = {trade.mcc: row for row, trade in enumerate(TRADES)}
    loads = np.zeros((len(TRADES), TASTE_DIMS), np.float32)
    loads[:, : len(PERSONAS)] = PERSONA_PULL * persona_loads()
    rows = []
    for item, partners in zip(catalog, links, strict=True):
        category = loads[[at[mcc] for mcc in item.categories()]].mean(axis=0)
        own = merchants.position[partners].mean(axis=0) if partners.size else category
        rows.append((category + own) / 2 if isinstance(item, Benefit) else own)
    noise = OWN_NOISE * rng.standard_normal((len(catalog), TASTE_DIMS))
    noise[:, -1] *= PRICE_PULL
    return (np.array(rows) + noise).astype(np.float32)


def _place(item: Benefit | MerchantOffer, rows: NDArray[np.int64], merchants: Merchants) -> int:
    """City in which an offer is of use; -1 for everywhere."""
    return int(merchants.city[rows[0]]) if isinstance(item, MerchantOffer) and rows.size else -1


def _bits(named: list[tuple[str, ...]], table: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """One bit for each row of ``table`` that the terms name; 0 when they name none."""
    row_of = {word: row for row, word in enumerate(table)}
    return np.array([sum(1 << row_of[w] for w in words) for words in named], np.int64)


def _day(instant: datetime | None, asked: Parameters) -> int:
    """Day of the window on which an instant lies; may be negative or after its end."""
    if instant is None:
        raise TypeError("every simulated item has a window")
    return (instant - asked.opens_at).days


def _instant(at: datetime) -> str:
    """RFC 3339 in UTC with ``Z``."""
    return at.isoformat().replace("+00:00", "Z")
