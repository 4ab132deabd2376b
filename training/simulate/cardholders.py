"""Cardholders: latent tastes, home and favourite city, cards, segments, activity, life span."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.simulate.parameters import Parameters, chance
from training.simulate.places import CITIES, PRODUCTS, SEGMENT_PERSONA, SEGMENTS, TIERS
from training.simulate.trades import PERSONAS

STYLE_DIMS = 7
TASTE_DIMS = len(PERSONAS) + STYLE_DIMS + 1
"""Personas, then style within a trade, then readiness to pay."""


@dataclass(frozen=True, slots=True, eq=False)
class Cardholders:
    """All cardholders, one row each; every array has length n along its first axis.

    Parameters
    ----------
    taste : float32, shape (n, TASTE_DIMS)
        Inner product with a merchant's position is the log of its pull.
    affluence : float32
        About standard normal.
    home, away : int8
        Rows of ``CITIES``; ``away`` is the city most travelled to, never ``home``.
    away_share : float32
        Share of visits made there.
    activity : float64
        Relative rate of card use; heavy-tailed.
    variety : float32
        Above 0: how many visits before old places outweigh new ones.
    joins, leaves : int16
        First and last-plus-one day of use within the window.
    products : int8, shape (n, 3)
        Rows of ``PRODUCTS``; the first is the main card, -1 for none.
    segments : bool, shape (n, n_segments)
    consents : bool, shape (n, 4)
        Personalisation, then marketing by push, sms and email.
    uplift : float32
        What a push of strength 1 adds to this cardholder's log-odds of activation.
    """

    taste: NDArray[np.float32]
    affluence: NDArray[np.float32]
    home: NDArray[np.int8]
    away: NDArray[np.int8]
    away_share: NDArray[np.float32]
    activity: NDArray[np.float64]
    variety: NDArray[np.float32]
    joins: NDArray[np.int16]
    leaves: NDArray[np.int16]
    products: NDArray[np.int8]
    segments: NDArray[np.bool_]
    consents: NDArray[np.bool_]
    uplift: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.home.size)


def cardholder_id(row: int) -> str:
    """Id of a row."""
    return f"ch_{row:07d}"


def draw_cardholders(asked: Parameters) -> Cardholders:
    """Draw everyone from the seed."""
    rng, n = chance(asked.seed, 1), asked.cardholders
    mix = draw_mix(rng, n)
    affluence = rng.standard_normal(n, np.float32) + 0.4 * mix[:, 3] - 0.3 * mix[:, 4]
    style = rng.standard_normal((n, STYLE_DIMS), np.float32)
    home = _cities(rng, n)
    joins, leaves = _life(rng, asked)
    products = _products(rng, mix, affluence)
    return Cardholders(
        taste=np.hstack([mix - 1 / len(PERSONAS), style, affluence[:, None]]).astype(np.float32),
        affluence=affluence.astype(np.float32),
        home=home,
        away=((home + rng.integers(1, len(CITIES), n)) % len(CITIES)).astype(np.int8),
        away_share=(0.01 + 0.04 * rng.random(n) + 0.18 * mix[:, 3]).astype(np.float32),
        activity=np.exp(1.0 * rng.standard_normal(n)) * (leaves - joins),
        variety=np.exp(2.6 + 0.5 * rng.standard_normal(n)).astype(np.float32),
        joins=joins,
        leaves=leaves,
        products=products,
        segments=_segments(rng, mix, affluence, joins > asked.days - 60),
        consents=rng.random((n, 4)) < (0.88, 0.72, 0.4, 0.3),
        uplift=_uplift(rng, mix),
    )


def draw_mix(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Shares of personas in each cardholder (Dirichlet 0.35: one or two lead), rows sum to 1."""
    mix = rng.standard_gamma(0.35, (n, len(PERSONAS))) + 1e-6
    return np.asarray(mix / mix.sum(axis=1, keepdims=True), np.float32)


def _cities(rng: np.random.Generator, n: int) -> NDArray[np.int8]:
    """Home cities by the weight of each city."""
    weights = np.array([c.weight for c in CITIES])
    return rng.choice(len(CITIES), n, p=weights / weights.sum()).astype(np.int8)


def _life(
    rng: np.random.Generator, asked: Parameters
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """First and last-plus-one day of use: most stay throughout, some are new, some fall silent."""
    n, days = asked.cardholders, asked.days
    joins, leaves = np.zeros(n, np.int16), np.full(n, days, np.int16)
    fate = rng.random(n)
    cold = fate < asked.cold_cardholders
    later = ~cold & (rng.random(n) < 0.2)
    silent = ~cold & (rng.random(n) < 0.12)
    joins[cold] = days - rng.integers(1, 21, int(cold.sum()))
    joins[later] = rng.integers(0, max(1, int(days * 0.6)), int(later.sum()))
    leaves[silent] = rng.integers(int(days * 0.65), days, int(silent.sum()))
    return joins, leaves


def _products(
    rng: np.random.Generator, mix: NDArray[np.float32], affluence: NDArray[np.float32]
) -> NDArray[np.int8]:
    """Up to three distinct cards by taste and means, the first being the main one."""
    appeal = np.log([p.weight for p in PRODUCTS]) + np.outer(
        affluence, [p.affluence for p in PRODUCTS]
    )
    for column, product in enumerate(PRODUCTS):
        if product.persona is not None:
            appeal[:, column] += 2.5 * mix[:, product.persona] - 0.3
    order = np.argsort(-(appeal + rng.gumbel(size=appeal.shape)), axis=1)[:, :3].astype(np.int8)
    held = 1 + rng.choice(3, len(mix), p=(0.68, 0.25, 0.07))
    order[np.arange(3) >= held[:, None]] = -1
    return order


def _segments(
    rng: np.random.Generator,
    mix: NDArray[np.float32],
    affluence: NDArray[np.float32],
    recent: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Segments as a bank would know them: right mostly, and not for everyone."""
    noise = 0.15 * rng.standard_normal((len(mix), len(SEGMENT_PERSONA)))
    by_taste = mix[:, list(SEGMENT_PERSONA)] + noise > 0.38
    affluent = affluence + 0.4 * rng.standard_normal(len(mix)) > 1.3
    segments = np.hstack([by_taste, affluent[:, None], recent[:, None]])
    if segments.shape[1] != len(SEGMENTS):
        raise AssertionError("a segment lacks its rule")
    return segments


def _uplift(rng: np.random.Generator, mix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Persuadable (about 60 %), indifferent (30 %), put off by pushes (10 %), partly by taste."""
    lean = 1.6 * mix[:, 4] + 1.2 * mix[:, 1] - 1.5 * mix[:, 7] + 0.7 * rng.standard_normal(len(mix))
    persuadable, put_off = lean > -0.05, lean < -1.0
    size = np.where(persuadable, 1.3, np.where(put_off, -0.6, 0.0))
    return (size * np.exp(0.3 * rng.standard_normal(len(mix)))).astype(np.float32)


def profiles(people: Cardholders, asked: Parameters) -> Iterator[dict[str, Any]]:
    """Each cardholder as the API's profile, with consent, in row order."""
    for row in range(len(people)):
        recorded_at = asked.opens_at + timedelta(days=int(people.joins[row]), hours=2)
        consent = [bool(c) for c in people.consents[row]]
        yield {
            "cardholder_id": cardholder_id(row),
            "card_products": [
                {"card_product_id": PRODUCTS[p].card_product_id, "tier": PRODUCTS[p].tier}
                for p in people.products[row]
                if p >= 0
            ],
            "city": CITIES[people.home[row]].city,
            "segments": [s for s, has in zip(SEGMENTS, people.segments[row], strict=True) if has],
            "consent": {
                "personalisation": consent[0],
                "marketing": {"push": consent[1], "sms": consent[2], "email": consent[3]},
                "purpose_version": "2026-01",
                "recorded_at": recorded_at.isoformat().replace("+00:00", "Z"),
            },
        }


def bits(held: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pack a boolean table into one integer a row; column 0 is the lowest bit."""
    return held.astype(np.int64) @ (1 << np.arange(held.shape[1], dtype=np.int64))


def product_bits(people: Cardholders) -> NDArray[np.int64]:
    """Cards held, one bit for each row of ``PRODUCTS``."""
    held = (people.products[:, :, None] == np.arange(len(PRODUCTS))).any(axis=1)
    return bits(held)


def tier_bits(people: Cardholders) -> NDArray[np.int64]:
    """Tiers held, one bit for each of ``TIERS``."""
    tier_of = np.array([TIERS.index(p.tier) for p in PRODUCTS] + [-1])
    return bits((tier_of[people.products][:, :, None] == np.arange(len(TIERS))).any(axis=1))
