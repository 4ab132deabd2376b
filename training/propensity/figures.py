"""How well scores foresee: order, calibration, and what a push changed."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, roc_auc_score

Floats = NDArray[np.float64]
GROUPS = 10


def concordance(score: Floats, outcome: Floats, *, seed: int, pairs: int = 200_000) -> float:
    """Share of pairs with different outcomes that the score orders rightly; ties count half.

    Estimated on random pairs (Harrell's C without censoring); 0.5 is chance, NaN without a pair.
    """
    chance = np.random.default_rng(seed)
    one, other = chance.integers(0, max(outcome.size, 1), (2, pairs))
    apart = np.sign(outcome[one] - outcome[other]) if outcome.size else np.zeros(0)
    told = np.sign(score[one] - score[other]) if outcome.size else np.zeros(0)
    counted = apart != 0
    if not counted.any():
        return float("nan")
    return float(np.mean(0.5 + 0.5 * apart[counted] * told[counted]))


def calibration(score: Floats, outcome: Floats) -> list[dict[str, float]]:
    """Mean score and mean outcome in ten groups of equal size, ascending in score."""
    order = np.argsort(score, kind="stable")
    return [
        {
            "cardholders": part.size,
            "foreseen": float(score[part].mean()),
            "happened": float(outcome[part].mean()),
        }
        for part in np.array_split(order, GROUPS)
        if part.size
    ]


def calibration_error(score: Floats, outcome: Floats) -> float:
    """Mean distance of the groups of :func:`calibration`, weighted by size."""
    groups = calibration(score, outcome)
    total = sum(group["cardholders"] for group in groups)
    return sum(
        group["cardholders"] / total * abs(group["foreseen"] - group["happened"])
        for group in groups
    )


def churn_figures(risk: Floats, silent: NDArray[np.bool_], overdue: Floats) -> dict[str, object]:
    """AUC, Brier score and calibration of a risk, beside the AUC of being overdue alone."""
    both = bool(silent.any() and not silent.all())
    return {
        "cardholders": int(silent.size),
        "silent_share": float(silent.mean()),
        "auc": float(roc_auc_score(silent, risk)) if both else None,
        "auc_overdue_alone": float(roc_auc_score(silent, np.nan_to_num(overdue))) if both else None,
        "brier": float(brier_score_loss(silent, risk)) if both else None,
        "calibration_error": calibration_error(risk, silent.astype(np.float64)),
        "calibration": calibration(risk, silent.astype(np.float64)),
    }


def value_figures(value: Floats, spent: Floats, before: Floats, *, seed: int) -> dict[str, object]:
    """Concordance and calibration of a value, beside those of the spend of the span before."""
    return {
        "cardholders": int(spent.size),
        "concordance": concordance(value, spent, seed=seed),
        "concordance_last_span": concordance(np.nan_to_num(before), spent, seed=seed),
        "mean_absolute_error_minor": float(np.abs(value - spent).mean()),
        "mean_absolute_error_last_span_minor": float(np.abs(np.nan_to_num(before) - spent).mean()),
        "foreseen_to_happened": float(value.sum() / spent.sum()) if spent.sum() else None,
        "calibration": calibration(value, spent),
    }


def qini_curve(uplift: Floats, treated: NDArray[np.bool_], outcome: Floats) -> Floats:
    """Incremental outcomes when the first 0, 1, … n cardholders by uplift are treated.

    ``Q(k) = Y_t(k) - Y_c(k) N_t(k) / N_c(k)`` (Radcliffe 2007), ties by row.

    Returns
    -------
    float64, shape (n + 1,)
    """
    order = np.argsort(-uplift, kind="stable")
    is_treated, gained = treated[order].astype(np.float64), outcome[order]
    n_treated, n_control = np.cumsum(is_treated), np.cumsum(1 - is_treated)
    y_treated, y_control = np.cumsum(gained * is_treated), np.cumsum(gained * (1 - is_treated))
    scale = np.divide(n_treated, n_control, out=np.zeros_like(n_treated), where=n_control > 0)
    return np.append(0.0, y_treated - y_control * scale)


def qini(uplift: Floats, treated: NDArray[np.bool_], outcome: Floats) -> float:
    """Area between the Qini curve and a random order's straight line, per cardholder squared."""
    curve = qini_curve(uplift, treated, outcome)
    n = curve.size - 1
    line = np.linspace(0.0, curve[-1], n + 1)
    return float(np.trapezoid(curve - line) / n**2) if n else 0.0


def uplift_at(
    share: float, uplift: Floats, treated: NDArray[np.bool_], outcome: Floats
) -> float | None:
    """Difference of mean outcomes among the top share by uplift; None when an arm is empty."""
    top = np.argsort(-uplift, kind="stable")[: int(np.ceil(share * uplift.size))]
    arm = treated[top]
    if not arm.any() or arm.all():
        return None
    return float(outcome[top][arm].mean() - outcome[top][~arm].mean())
