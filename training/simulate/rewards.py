"""Rewards of merchant offers in round figures that fit what the trade costs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from embeddings.catalog import RewardType

Drawn = tuple[dict[str, Any], dict[str, str]]


def draw_reward(rng: np.random.Generator, kind: RewardType, median_yuan: float) -> Drawn:
    """Reward of this type as the API has it, and the figures for its wording.

    Parameters
    ----------
    median_yuan : float
        What a visit to the trade usually costs.
    """
    need = round_yuan(median_yuan * rng.uniform(0.8, 2.5))
    give = round_yuan(need * float(rng.choice((0.05, 0.1, 0.15, 0.2, 0.3))))
    give = min(give, max(1, need // 2))
    reward, blanks = _SHAPES[kind](rng, need, give)
    return {"type": kind.value, **reward}, {"times_zh": "1", "times_en": "once", **blanks}


def round_yuan(yuan: float) -> int:
    """At least 1, to a figure of the kind that stands on a poster: 5, 18, 20, 50, 100, 1000."""
    steps = (1, 2, 3, 5, 8, 10, 15, 18, 20, 25, 30, 50, 66, 80, 88, 100)
    scale = 1
    while yuan > 100 * scale:
        scale *= 10
    return int(min(steps, key=lambda step: abs(step * scale - yuan)) * scale)


def _cny(yuan: int) -> dict[str, Any]:
    """Whole yuan as money."""
    return {"amount_minor": yuan * 100, "currency": "CNY"}


def _cashback_percent(rng: np.random.Generator, need: int, give: int) -> Drawn:
    rate = int(rng.choice((3, 5, 8, 10, 15)))
    cap = max(give, 5)
    reward = {"rate_bps": rate * 100, "max_value": _cny(cap), "min_spend": _cny(need)}
    return reward, {"rate": str(rate), "cap": str(cap)}


def _spend(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    reward = {"min_spend": _cny(need), "value": _cny(give)}
    return reward, {"min": str(need), "value": str(give)}


def _points_multiplier(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    times = int(rng.choice((2, 3, 5, 10)))
    return {"multiplier_bps": times * 10_000}, {"multiplier": str(times)}


def _points_bonus(rng: np.random.Generator, need: int, give: int) -> Drawn:
    points = give * int(rng.choice((100, 200, 500)))
    return {"points": points, "min_spend": _cny(need)}, {"points": str(points), "min": str(need)}


def _instant_discount(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    return {"value": _cny(give)}, {"value": str(give)}


def _random_discount(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    top = max(give, 2)
    return {"min_value": _cny(1), "max_value": _cny(top)}, {"low": "1", "cap": str(top)}


def _percent_discount(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    rate = int(rng.choice((5, 10, 12, 15, 20, 50), p=(0.15, 0.25, 0.2, 0.2, 0.15, 0.05)))
    cap = max(give, 10)
    fold = f"{(100 - rate) / 10:g}"
    return (
        {"rate_bps": rate * 100, "max_value": _cny(cap)},
        {"fold": fold, "rate": str(rate), "cap": str(cap)},
    )


def _instalment(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    periods, fee_bps = int(rng.choice((3, 6, 12, 24))), int(rng.choice((0, 0, 20, 35)))
    low = max(need, 500)
    fee = f"{fee_bps / 100:g}%"
    words = ("免息", "interest-free") if fee_bps == 0 else (f"每期费率{fee}", f"{fee} a month")
    reward = {"periods": periods, "fee_rate_bps": fee_bps, "min_spend": _cny(low)}
    return reward, {
        "periods": str(periods),
        "fee_zh": words[0],
        "fee_en": words[1],
        "min": str(low),
    }


def _fee_waiver(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    total = max(need * 10, 1000)
    return {"min_spend": _cny(total)}, {"min": str(total)}


def _experience(rng: np.random.Generator, need: int, give: int) -> Drawn:  # noqa: ARG001
    return {}, {}


_SHAPES: dict[RewardType, Callable[[np.random.Generator, int, int], Drawn]] = {
    RewardType.CASHBACK_PERCENT: _cashback_percent,
    RewardType.CASHBACK_FIXED: _spend,
    RewardType.STATEMENT_CREDIT: _spend,
    RewardType.POINTS_MULTIPLIER: _points_multiplier,
    RewardType.POINTS_BONUS: _points_bonus,
    RewardType.SPEND_AND_GET: _spend,
    RewardType.INSTANT_DISCOUNT: _instant_discount,
    RewardType.RANDOM_DISCOUNT: _random_discount,
    RewardType.PERCENT_DISCOUNT: _percent_discount,
    RewardType.COUPON: _spend,
    RewardType.INSTALMENT: _instalment,
    RewardType.FEE_WAIVER: _fee_waiver,
    RewardType.EXPERIENCE: _experience,
}
