"""Judgement of what went in: enough of it, nobody's alone, and like the last time."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from training.gate.reasons import Code, Reason
from training.gate.rule import GateRule


@dataclass(frozen=True, slots=True)
class Signal:
    """The one who holds the most of all signal.

    Parameters
    ----------
    who : str
        Outside id.
    share : float
        Within [0, 1].
    """

    who: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What went into a model; kept in its manifest, so that the next run can compare.

    Parameters
    ----------
    interactions : int
    cardholders, columns : int
    cardholders_with_two : int
        Cardholders with at least two cells.
    transactions_per_day : float
    category_shares : dict
        Category column → its share of the signal of all categories.
    """

    interactions: int
    cardholders: int
    columns: int
    cardholders_with_two: int
    transactions_per_day: float
    category_shares: dict[str, float]

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what :meth:`as_document` wrote."""
        return cls(**document)


def judge_data(
    facts: DataFacts, cardholder: Signal, merchant: Signal, rule: GateRule
) -> list[Reason]:
    """Reasons that lie in the data alone.

    Parameters
    ----------
    facts : DataFacts
    cardholder, merchant : Signal
        The ones that hold the most.
    rule : GateRule
    """
    reasons = []
    if facts.interactions < rule.min_interactions:
        reasons.append(
            Reason(
                Code.TOO_FEW_INTERACTIONS,
                f"There are {facts.interactions:,} interactions, fewer than the floor of "
                f"{rule.min_interactions:,}; bring more usage or lower gate.min_interactions.",
            )
        )
    if facts.cardholders_with_two < rule.min_cardholders:
        reasons.append(
            Reason(
                Code.TOO_FEW_CARDHOLDERS,
                f"Only {facts.cardholders_with_two:,} cardholders met two things or more, fewer "
                f"than the floor of {rule.min_cardholders:,}; bring more usage or lower "
                "gate.min_cardholders.",
            )
        )
    return reasons + _dominance(cardholder, merchant, rule)


def _dominance(cardholder: Signal, merchant: Signal, rule: GateRule) -> list[Reason]:
    """Reasons when one card or one shop could steer the model."""
    reasons = []
    if cardholder.share > rule.max_cardholder_share:
        reasons.append(
            Reason(
                Code.CARDHOLDER_DOMINATES,
                f"One cardholder ({cardholder.who}) holds {cardholder.share:.1%} of all signal, "
                f"above {rule.max_cardholder_share:.1%}; look for a test card, a corporate card "
                "or injected events.",
            )
        )
    if merchant.share > rule.max_merchant_share:
        reasons.append(
            Reason(
                Code.MERCHANT_DOMINATES,
                f"One merchant ({merchant.who}) holds {merchant.share:.1%} of all signal, above "
                f"{rule.max_merchant_share:.1%}; look for a catch-all merchant id or a merchant "
                "that buys from itself.",
            )
        )
    return reasons


def judge_drift(facts: DataFacts, before: DataFacts, rule: GateRule) -> list[Reason]:
    """Reasons when the inputs are unlike those of the bundle in use."""
    return [*_volume(facts, before, rule), *_shift(facts, before, rule), *_ids(facts, before, rule)]


def _volume(facts: DataFacts, before: DataFacts, rule: GateRule) -> list[Reason]:
    ratio = facts.transactions_per_day / max(before.transactions_per_day, 1e-9)
    if rule.min_volume_ratio <= ratio <= 1 / max(rule.min_volume_ratio, 1e-9):
        return []
    return [
        Reason(
            Code.VOLUME_DRIFTED,
            f"There are {facts.transactions_per_day:,.1f} transactions a day, {ratio:.2f} times "
            f"the {before.transactions_per_day:,.1f} of the bundle in use; look for a missing or "
            "doubled delivery.",
        )
    ]


def _shift(facts: DataFacts, before: DataFacts, rule: GateRule) -> list[Reason]:
    names = {*facts.category_shares, *before.category_shares}
    moved = {
        n: facts.category_shares.get(n, 0.0) - before.category_shares.get(n, 0.0) for n in names
    }
    distance = sum(abs(m) for m in moved.values()) / 2
    if distance <= rule.max_category_shift:
        return []
    most = max(moved, key=lambda n: (abs(moved[n]), n))
    return [
        Reason(
            Code.CATEGORIES_DRIFTED,
            f"{distance:.0%} of the signal moved between categories since the bundle in use, "
            f"above {rule.max_category_shift:.0%}; the largest move is {moved[most]:+.1%} at "
            f"{most}. Look for a changed category mapping.",
        )
    ]


def _ids(facts: DataFacts, before: DataFacts, rule: GateRule) -> list[Reason]:
    reasons = []
    for what, now, then in (
        ("cardholders", facts.cardholders, before.cardholders),
        ("columns", facts.columns, before.columns),
    ):
        if now < rule.min_id_ratio * then:
            reasons.append(
                Reason(
                    Code.FEWER_IDS,
                    f"There are {now:,} {what}, fewer than {rule.min_id_ratio:.0%} of the "
                    f"{then:,} in the bundle in use; look for a part of the data that is missing.",
                )
            )
    return reasons
