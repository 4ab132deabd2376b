"""Judgement of the factors themselves."""

import numpy as np

from embeddings.factors import Factors
from training.gate.reasons import Code, Reason
from training.gate.rule import GateRule


def judge_numbers(factors: Factors, n_factors_before: int | None, rule: GateRule) -> list[Reason]:
    """Reasons that lie in the vectors.

    Parameters
    ----------
    factors : Factors
    n_factors_before : int or None
        Of the bundle in use.
    rule : GateRule
    """
    reasons = [*_finite(factors), *_zeros(factors, rule)]
    if n_factors_before is not None and n_factors_before != factors.n_factors:
        reasons.append(
            Reason(
                Code.DIMENSION_CHANGED,
                f"Vectors have {factors.n_factors} numbers, those of the bundle in use "
                f"{n_factors_before}; readers of old vectors would break. Say --force when this "
                "is meant.",
            )
        )
    return reasons


def _finite(factors: Factors) -> list[Reason]:
    bad = [
        name
        for name, matrix in (("cardholders", factors.cardholders), ("columns", factors.columns))
        if not np.isfinite(matrix).all()
    ]
    return [
        Reason(Code.NOT_FINITE, f"Vectors of {name} hold NaN or infinity; the fit diverged.")
        for name in bad
    ]


def _zeros(factors: Factors, rule: GateRule) -> list[Reason]:
    reasons = []
    for name, matrix in (("cardholders", factors.cardholders), ("columns", factors.columns)):
        share = float((~matrix.any(axis=1)).mean()) if len(matrix) else 0.0
        if share > rule.max_zero_share:
            reasons.append(
                Reason(
                    Code.ZERO_VECTORS,
                    f"{share:.2%} of the vectors of {name} are all zero, above "
                    f"{rule.max_zero_share:.2%}; the regularisation may be too strong.",
                )
            )
    return reasons
