"""Figures of campaigns: parameters chosen on earlier ones, judged on later ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from training.evaluation.bootstrap import interval, paired_difference
from training.exams.coupons.exam import Exam, Table

HABIT_WEIGHTS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
BREADTH_EXPONENT = 0.25
BREADTH_FLOOR = 2.5
"""A quarter of the logarithm of 20,000 products: so that what he bought stays above what not."""

BASELINES = ("own_spend", "most_redeemed", "most_bought", "random")
Floats = NDArray[np.float64]


def product(exam: Exam, habit_weight: float) -> Table:
    """The product's score: ``x·pull + bias + habit_weight·habit``.

    The habit is what he spent on the coupon's own products, which stand for the places where an
    offer holds, less for a wide coupon: ``5/2 + log(1 + spend) - ¼·log(products)``. A coupon
    for thousands of products gathers spend without being meant for anyone.
    """
    spend = np.maximum(exam.scores["own_spend"], 0)
    narrowed = np.log1p(spend) - BREADTH_EXPONENT * np.log(exam.scores["breadth"])
    habit = np.where(spend > 0, np.maximum(narrowed + BREADTH_FLOOR, 0), 0)
    return np.asarray(exam.scores["fit"] + habit_weight * habit, np.float32)


def chosen_weight(exams: Sequence[Exam], k: int) -> float:
    """The habit weight with the best mean nDCG on these campaigns; the least of equals."""
    means = [
        pooled([ndcg(exam.redeemed, product(exam, weight), k) for exam in exams]).mean()
        for weight in HABIT_WEIGHTS
    ]
    return HABIT_WEIGHTS[int(np.argmax(np.round(means, 6)))]


def ndcg(redeemed: NDArray[np.bool_], scores: Table, k: int) -> Floats:
    """NDCG of each household that redeemed at least one coupon, shape (n_redeemers,).

    Ties go to the lesser coupon id; the ideal has all its redeemed coupons first.
    """
    asked = np.flatnonzero(redeemed.any(axis=1))
    order = np.argsort(-scores[asked], axis=1, kind="stable")[:, :k]
    discount = 1.0 / np.log2(np.arange(2, order.shape[1] + 2))
    hits = np.take_along_axis(redeemed[asked], order, axis=1)
    ideal = np.r_[0.0, np.cumsum(discount)]
    best = ideal[np.minimum(redeemed[asked].sum(axis=1), discount.size)]
    return np.asarray((hits @ discount) / best, np.float64)


def household_rank(redeemed: NDArray[np.bool_], scores: Table) -> Floats:
    """Share of the other recipients below each redeemer, by the best score of any coupon.

    Ties count half, so chance has a mean of one half. Empty unless some redeemed and some did not.
    """
    did = redeemed.any(axis=1)
    if did.all() or not did.any():
        return np.empty(0)
    ranks = rankdata(scores.max(axis=1))
    below = ranks[did] - rankdata(scores[did].max(axis=1))
    return np.asarray(below / (~did).sum(), np.float64)


def pooled(parts: Sequence[Floats]) -> Floats:
    """All parts in one."""
    return np.concatenate([np.empty(0), *parts])


def report(
    exams: Sequence[Exam], *, n_earlier: int, k: int, seed: int, rounds: int
) -> dict[str, Any]:
    """Figures of the product and every baseline on the later campaigns.

    Parameters
    ----------
    exams : sequence of Exam, in order of their start
    n_earlier : int
        How many of them the habit weight is chosen on.
    k, seed, rounds : int
    """
    earlier, later = exams[:n_earlier], exams[n_earlier:]
    weight = chosen_weight(earlier, k)
    households = np.concatenate([_redeemers(exam) for exam in later])
    lists = {
        name: pooled([ndcg(e.redeemed, s, k) for e, s in zip(later, scores, strict=True)])
        for name, scores in _by_name(later, weight).items()
    }
    ranks = {
        name: pooled([household_rank(e.redeemed, s) for e, s in zip(later, scores, strict=True)])
        for name, scores in _by_name(later, weight).items()
        if name not in NOT_OF_HOUSEHOLDS
    }
    return {
        "k": k,
        "habit_weight": weight,
        "earlier_campaigns": [exam.campaign.campaign_id for exam in earlier],
        "campaigns": [exam.campaign.campaign_id for exam in later],
        "households": int(households.size),
        "redemptions": int(sum(exam.redeemed.sum() for exam in later)),
        "models": _figures(lists, "ndcg", seed, rounds),
        "leads": _leads(lists, households, seed, rounds),
        "household_rank": _figures(ranks, "rank", seed, rounds),
    }


NOT_OF_HOUSEHOLDS = ("most_redeemed", "most_bought")
"""They score every household of a campaign alike."""


def _by_name(exams: Sequence[Exam], weight: float) -> dict[str, list[Table]]:
    named = {name: [exam.scores[name] for exam in exams] for name in BASELINES}
    return {"product": [product(exam, weight) for exam in exams], **named}


def _redeemers(exam: Exam) -> NDArray[np.str_]:
    return np.array(exam.households)[exam.redeemed.any(axis=1)]


def _figures(
    of: Mapping[str, Floats], name: str, seed: int, rounds: int
) -> dict[str, dict[str, float]]:
    found = {}
    for model, values in of.items():
        low, high = interval(values, seed=seed, rounds=rounds)
        mean = float(values.mean()) if values.size else 0.0
        found[model] = {
            name: round(mean, 4), f"{name}_low": round(low, 4), f"{name}_high": round(high, 4)
        }  # fmt: skip
    return found


def _leads(
    of: Mapping[str, Floats], households: NDArray[np.str_], seed: int, rounds: int
) -> dict[str, dict[str, float]]:
    """By how much the product leads each baseline; households are drawn whole."""
    _, who = np.unique(households, return_inverse=True)
    found = {}
    for name in BASELINES:
        mean, low, high = paired_difference(
            of["product"], of[name], seed=seed, rounds=rounds, clusters=who
        )
        found[name] = {"mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}
    return found
