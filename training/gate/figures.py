"""Judgement of how good the model is, on one split."""

from dataclasses import dataclass

from training.gate.reasons import Code, Reason
from training.gate.rule import GateRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the gate must know of an evaluation, all at the same k and split.

    Parameters
    ----------
    k, cardholders : int
        Length of the lists; cardholders with something to find.
    recall, popular_recall, coverage : float
    against_current : tuple of float or None
        Interval of the paired difference in recall, new less the bundle in use.
    recall_before : float or None
        What the bundle in use reached when it was judged.
    """

    k: int
    cardholders: int
    recall: float
    popular_recall: float
    coverage: float
    against_current: tuple[float, float] | None = None
    recall_before: float | None = None


def judge_figures(figures: Figures, rule: GateRule) -> list[Reason]:
    """Reasons that lie in the evaluation."""
    if figures.cardholders == 0:
        return [
            Reason(
                Code.NOTHING_TO_JUDGE,
                "No cardholder of the train part appears after the split, so nothing can be "
                "judged; move --split-at or bring a longer window.",
            )
        ]
    return [*_floor(figures, rule), *_current(figures, rule), *_coverage(figures, rule)]


def _floor(figures: Figures, rule: GateRule) -> list[Reason]:
    floor = rule.min_ratio_to_popular * figures.popular_recall
    if figures.recall >= floor:
        return []
    return [
        Reason(
            Code.WORSE_THAN_POPULAR,
            f"Recall@{figures.k} is {figures.recall:.4f}, below {floor:.4f}, which is "
            f"{rule.min_ratio_to_popular:g} times what the most popular merchants reach; the "
            "model has learned nothing that pays. Tune it or bring more usage.",
        )
    ]


def _current(figures: Figures, rule: GateRule) -> list[Reason]:
    reasons = []
    if figures.against_current is not None and figures.against_current[1] < 0:
        low, high = figures.against_current
        reasons.append(
            Reason(
                Code.WORSE_THAN_CURRENT,
                f"On the same split recall@{figures.k} is below that of the bundle in use by "
                f"{-high:.4f} to {-low:.4f} (95 % interval); keep the old parameters.",
            )
        )
    before = figures.recall_before
    if before is not None and figures.recall < (1 - rule.max_fall) * before:
        reasons.append(
            Reason(
                Code.FELL_SINCE_LAST,
                f"Recall@{figures.k} is {figures.recall:.4f}; the bundle in use reached "
                f"{before:.4f} when it was judged, and a fall of more than {rule.max_fall:.0%} "
                "points at broken data rather than at the season.",
            )
        )
    return reasons


def _coverage(figures: Figures, rule: GateRule) -> list[Reason]:
    if figures.coverage >= rule.min_coverage:
        return []
    return [
        Reason(
            Code.LOW_COVERAGE,
            f"All lists together show {figures.coverage:.2%} of the merchants, below "
            f"{rule.min_coverage:.2%}; everyone would get the same page.",
        )
    ]
