"""Terms and budgets of the simulated catalogue, in the item schema of the API."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from embeddings.catalog import RewardType
from training.simulate.parameters import Parameters
from training.simulate.places import CITIES, OFFER_CHANNELS, PRODUCTS, SEGMENTS, TIERS
from training.simulate.wording import BenefitText

ONCE_A_MONTH = (RewardType.CASHBACK_PERCENT, RewardType.SPEND_AND_GET)
"""Types whose wording promises one use a month."""


def benefit_terms(rng: np.random.Generator, text: BenefitText, asked: Parameters) -> dict[str, Any]:
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


def offer_terms(
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


def draw_budget(rng: np.random.Generator, asked: Parameters, kind: RewardType) -> dict[str, Any]:
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


def _instant(at: datetime) -> str:
    """RFC 3339 in UTC with ``Z``."""
    return at.isoformat().replace("+00:00", "Z")
