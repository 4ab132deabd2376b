"""Benefits and merchant offers of every kind, each in the item schema of the API."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Item, RewardType, parse_item
from training.simulate.fine_print import benefit_terms, draw_budget, offer_terms
from training.simulate.merchants import Merchants, merchant_id
from training.simulate.parameters import Parameters
from training.simulate.places import PRODUCTS
from training.simulate.rewards import draw_reward
from training.simulate.trades import CATEGORY_NAMES, TRADES
from training.simulate.wording import BENEFITS, OFFERS, BenefitText

BENEFIT_SHARE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Offering:
    """An item and the rows of the merchants it hangs on; none when it hangs on categories only."""

    item: Item
    partners: NDArray[np.int64]


def draw_offerings(
    rng: np.random.Generator, asked: Parameters, merchants: Merchants
) -> list[Offering]:
    """Benefits, then offers; every type is there when there is room for it."""
    n_benefits = round(BENEFIT_SHARE * asked.items)
    benefits = [_benefit(rng, number, asked, merchants) for number in range(n_benefits)]
    n_offers = asked.items - n_benefits
    return benefits + [_offer(rng, number, asked, merchants) for number in range(n_offers)]


def _benefit(
    rng: np.random.Generator, number: int, asked: Parameters, merchants: Merchants
) -> Offering:
    """One benefit and the rows of its partners."""
    text = BENEFITS[number % len(BENEFITS)]
    partners = _partners(rng, text, merchants) if rng.random() < 0.6 else np.empty(0, np.int64)
    blanks = benefit_blanks(rng)
    title, long = text.phrase.filled(**blanks)
    terms = benefit_terms(rng, text, asked)
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
    return Offering(parse_item(document), partners)


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


def benefit_blanks(rng: np.random.Generator) -> dict[str, str]:
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
) -> Offering:
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
        "terms": offer_terms(rng, number, asked, place=place, whole=whole),
        "budget": draw_budget(rng, asked, kind),
        "funding": str(rng.choice(("merchant", "shared", "issuer"), p=(0.6, 0.25, 0.15))),
        "sponsored": bool(rng.random() < 0.08),
        "priority": int(rng.choice((0, 0, 0, 0, 5, 10))),
        "url": f"https://bank.example/offers/offer_{number:05d}",
    }
    if not whole:
        document["merchant_id"] = merchant_id(row)
    return Offering(parse_item(document), np.empty(0, np.int64) if whole else np.array([row]))


def _drawn_merchant(rng: np.random.Generator, asked: Parameters, merchants: Merchants) -> np.int64:
    """A merchant that trades at the end of the window, popular ones more often."""
    alive = np.flatnonzero(merchants.closes >= asked.days)
    weight = np.exp(0.5 * merchants.pull[alive]) * np.where(merchants.city[alive] < 0, 3.0, 1.0)
    return np.int64(rng.choice(alive, p=weight / weight.sum()))


def _names(merchants: Merchants, row: int) -> tuple[str, str]:
    """Names of a merchant in both languages."""
    return merchants.zh[row], merchants.en[row]
