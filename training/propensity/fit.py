"""The one door: scores of all cardholders, and how far they can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.propensity.campaigns import Responses
from training.propensity.features import Features, features_at, first_at, signed
from training.propensity.figures import churn_figures, value_figures
from training.propensity.models import Foresees, fit_churn_risk, fit_value
from training.propensity.outcomes import horizon_days, silent_after, spend_after
from training.propensity.uplift import Arms, fit_uplift

SPAN_DAYS = 90
SNAPSHOTS = 3
LEAST_CARDHOLDERS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Propensity:
    """Scores for the bundle and their figures for the report.

    Parameters
    ----------
    scores : mapping of name to float32, shape (n_cardholders,)
        ``value`` (minor units), ``churn_risk`` (probability), ``uplift`` (outcomes); NaN for
        cardholders without a purchase. Empty when nothing can be learned.
    figures : JSON values; ``skipped`` says why a score is missing.
    """

    scores: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)


def fit(
    usage: pl.LazyFrame,
    cardholder_ids: Sequence[str],
    ends_at: datetime,
    *,
    seed: int,
    campaigns: Sequence[Responses] = (),
) -> Propensity:
    """Learn from the past whom it is worth waking, judge it by a time split, score everybody.

    The models are judged on the last 90 days, which they have not seen; then they are fitted
    again with those days and score everybody as of ``ends_at``.

    Parameters
    ----------
    usage : canonical card usage (see ``training.usage.schema``); rows from ``ends_at`` on are
        not looked at
    cardholder_ids : in the order of the bundle's cardholder rows
    ends_at : aware instant, end of the training window
    seed : int
    campaigns : those with a holdout, in order of time, for the uplift score; of their cardholders,
        those without a purchase before the push are left out
    """
    rows = signed(usage).filter(pl.col("occurred_at") < ends_at).collect()
    reason = _too_little(rows, cardholder_ids, ends_at)
    if reason:
        return Propensity({}, {"skipped": reason})
    past = _History(rows, cardholder_ids, seed)
    last = ends_at - timedelta(days=SPAN_DAYS)
    figures: dict[str, object] = {"judged": past.judge(last)}
    models = past.models(last)
    now = features_at(rows, cardholder_ids, ends_at)
    models |= past.uplift(campaigns, figures)
    scores = {name: _scores(model, now) for name, model in models.items()}
    return Propensity(scores, figures)


def _too_little(rows: pl.DataFrame, cardholder_ids: Sequence[str], ends_at: datetime) -> str | None:
    """Why nothing can be learned, or None."""
    if not rows.height or len(cardholder_ids) < LEAST_CARDHOLDERS:
        return f"{len(cardholder_ids)} cardholders, needs {LEAST_CARDHOLDERS}"
    days = (ends_at - first_at(rows)).days
    needed = 3 * SPAN_DAYS
    return f"usage spans {days} days, needs {needed}" if days < needed else None


def _scores(model: Foresees, features: Features) -> NDArray[np.float32]:
    """Scores of those who bought before, NaN for the others."""
    scores = model.foresee(features.matrix).astype(np.float32)
    return np.where(features.seen, scores, np.float32(np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """Cardholders as of an instant and what they did after it."""

    features: Features
    spent: NDArray[np.float64]
    silent: NDArray[np.bool_]


class _History:
    """Card usage as pairs of before and after."""

    def __init__(self, rows: pl.DataFrame, cardholder_ids: Sequence[str], seed: int) -> None:
        self._rows, self._ids, self._seed = rows, cardholder_ids, seed
        self._first = first_at(rows)

    def _snapshot(self, at: datetime) -> _Snapshot:
        """Those who bought before an instant, and what they did in the 90 days after it."""
        everyone = features_at(self._rows, self._ids, at)
        seen = everyone.seen
        horizon = horizon_days(everyone, SPAN_DAYS)
        spent = spend_after(self._rows, self._ids, at, SPAN_DAYS)
        silent = silent_after(self._rows, self._ids, at, horizon)
        return _Snapshot(Features(everyone.names, everyone.matrix[seen]), spent[seen], silent[seen])

    def models(self, last: datetime) -> dict[str, Foresees]:
        """Models of snapshots at ``last`` and each 90 days before, while there is usage."""
        instants = [last - timedelta(days=SPAN_DAYS * back) for back in range(SNAPSHOTS)]
        least = self._first + timedelta(days=SPAN_DAYS)
        shots = [self._snapshot(at) for at in instants if at >= least or at == last]
        matrix = np.concatenate([shot.features.matrix for shot in shots])
        spent = np.concatenate([shot.spent for shot in shots])
        silent = np.concatenate([shot.silent for shot in shots])
        return {
            "value": fit_value(matrix, spent, seed=self._seed),
            "churn_risk": fit_churn_risk(matrix, silent, seed=self._seed),
        }

    def judge(self, last: datetime) -> dict[str, object]:
        """Figures on the 90 days from ``last`` on of models that ended before it."""
        models = self.models(last - timedelta(days=SPAN_DAYS))
        shot = self._snapshot(last)
        matrix = shot.features.matrix
        before = shot.features.column("spend_90").astype(np.float64)
        overdue = shot.features.column("overdue").astype(np.float64)
        return {
            "split_at": last.isoformat(),
            "value": value_figures(
                models["value"].foresee(matrix), shot.spent, before, seed=self._seed
            ),
            "churn_risk": churn_figures(models["churn_risk"].foresee(matrix), shot.silent, overdue),
        }

    def uplift(
        self, campaigns: Sequence[Responses], figures: dict[str, object]
    ) -> dict[str, Foresees]:
        """A model of uplift by its name, or none; its figures, or why there is none."""
        if not campaigns:
            return {}
        try:
            model, figures["uplift"] = fit_uplift(
                [self._arms(one) for one in campaigns], seed=self._seed
            )
        except ValueError as error:
            figures["uplift"] = {"skipped": str(error)}
            return {}
        return {"uplift": model}

    def _arms(self, campaign: Responses) -> Arms:
        """Those who bought before the push, with features as of it."""
        features = features_at(self._rows, campaign.cardholder_ids, campaign.pushed_at)
        known = features.seen & np.isin(campaign.cardholder_ids, self._ids)
        return Arms.of(features.matrix[known], campaign.treated[known], campaign.outcome[known])
