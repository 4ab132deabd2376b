"""The catalogue as the simulation sees it: items, their latent positions, their terms as bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Benefit, Item, MerchantOffer
from training.simulate.cardholders import TASTE_DIMS
from training.simulate.merchants import PERSONA_PULL, PRICE_PULL, Merchants
from training.simulate.offerings import Offering, draw_offerings
from training.simulate.parameters import Parameters, chance
from training.simulate.places import CITIES, PRODUCTS, SEGMENTS, TIERS
from training.simulate.trades import PERSONAS, TRADES, persona_loads, usage_shares

OWN_NOISE = 0.2
OWN_LUCK = 0.35
CROWD = 0.5
STYLE_SHARE = 0.5
"""A saving matters more by what it is spent on than by the shop's style."""


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

    catalog: list[Item]
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
    """Draw the catalogue and compile it to arrays."""
    rng = chance(asked.seed, 5)
    drawn = draw_offerings(rng, asked, merchants)
    catalog = [one.item for one in drawn]
    terms = [item.terms for item in catalog]
    n = len(catalog)
    recency = [t.customer_recency for t in terms]
    return Items(
        catalog=catalog,
        position=_positions(rng, drawn, merchants),
        offset=_offsets(rng, drawn, merchants),
        city=np.array([_place(one, merchants) for one in drawn], np.int8),
        product_bits=_bits([t.card_products for t in terms], [p.card_product_id for p in PRODUCTS]),
        tier_bits=_bits([t.tiers for t in terms], TIERS),
        city_bits=_bits([t.cities for t in terms], [c.city for c in CITIES]),
        segment_bits=_bits([t.segments for t in terms], SEGMENTS),
        starts=np.array([_day(t.starts_at, asked) for t in terms], np.int32),
        ends=np.array([_day(t.ends_at, asked) for t in terms], np.int32),
        recency_merchant=np.array(
            [one.partners[0] if one.item.terms.customer_recency else -1 for one in drawn], np.int32
        ),
        recency_days=np.array([r.min_days or 0 if r else 0 for r in recency], np.int32),
        cold=rng.random(n) < asked.cold_items,
    )


def _positions(
    rng: np.random.Generator, drawn: list[Offering], merchants: Merchants
) -> NDArray[np.float32]:
    """Mean place of the item's categories and of its merchants, and a little of its own."""
    at = {trade.mcc: row for row, trade in enumerate(TRADES)}
    loads = np.zeros((len(TRADES), TASTE_DIMS), np.float32)
    loads[:, : len(PERSONAS)] = PERSONA_PULL * persona_loads()
    rows = []
    for one in drawn:
        partners = one.partners
        category = loads[[at[mcc] for mcc in one.item.categories()]].mean(axis=0)
        own = merchants.position[partners].mean(axis=0) if partners.size else category
        rows.append((category + own) / 2 if isinstance(one.item, Benefit) else own)
    place = np.array(rows)
    place[:, len(PERSONAS) :] *= STYLE_SHARE
    noise = OWN_NOISE * rng.standard_normal((len(drawn), TASTE_DIMS))
    noise[:, -1] *= PRICE_PULL
    return (place + noise).astype(np.float32)


def _offsets(
    rng: np.random.Generator, drawn: list[Offering], merchants: Merchants
) -> NDArray[np.float32]:
    """What everyone likes: more where many shop, and the item's own luck; its mean is about 0."""
    at = {trade.mcc: row for row, trade in enumerate(TRADES)}
    shares = np.log(usage_shares())
    usual = [shares[[at[mcc] for mcc in one.item.categories()]].mean() for one in drawn]
    known = [merchants.pull[one.partners].mean() if one.partners.size else 0.0 for one in drawn]
    crowd = np.array(usual) + np.array(known)
    luck = OWN_LUCK * rng.standard_normal(len(drawn))
    return np.asarray(CROWD * (crowd - crowd.mean()) + luck, np.float32)


def _place(one: Offering, merchants: Merchants) -> int:
    """City in which an offer is of use; -1 for everywhere, and for every benefit."""
    local = isinstance(one.item, MerchantOffer) and one.partners.size
    return int(merchants.city[one.partners[0]]) if local else -1


def _bits(named: Sequence[Sequence[str]], table: Sequence[str]) -> NDArray[np.int64]:
    """One bit for each row of ``table`` that the terms name; 0 when they name none."""
    row_of = {word: row for row, word in enumerate(table)}
    return np.array([sum(1 << row_of[w] for w in words) for words in named], np.int64)


def _day(instant: datetime | None, asked: Parameters) -> int:
    """Day of the window on which an instant lies; may be negative or after its end."""
    if instant is None:
        raise TypeError("every simulated item has a window")
    return (instant - asked.opens_at).days
