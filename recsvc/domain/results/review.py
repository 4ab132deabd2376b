"""The review of a campaign: what became of each arm, and what the pushes added.

Everybody who was meant is judged in the arm he was dealt to, whether or not a push reached him
(intention to treat): who could be reached is not chance, who was dealt is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.results.arms import Arm
from recsvc.domain.results.effect import Effect, RatioCheck, cuped, difference, sample_ratio
from recsvc.domain.results.sequential import LEAST_ARM, always_valid, effective_size, mixture

Floats = NDArray[np.float64]


class Measure(StrEnum):
    """What is counted of each cardholder over the attribution window.

    ``CUT_SHORT`` is 1 for one who did more than is remembered of him: what he did first in the
    window may be missing from his visits, spend, views and activations, though not from his uses.
    """

    SENT = "sent"
    SERVED = "served"
    VIEWED = "viewed"
    ACTIVATED = "activated"
    REDEEMED = "redeemed"
    ATTRIBUTED = "attributed"
    VISITS = "visits"
    SPEND = "spend_minor"
    COST = "cost_minor"
    CUT_SHORT = "cut_short"


COMPARED = (Measure.ACTIVATED, Measure.REDEEMED, Measure.VISITS, Measure.SPEND)
"""What the holdout can do as well; it is sent nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """Everybody whom a campaign meant.

    Parameters
    ----------
    treated : bool, shape (n,)           False is holdout
    items : int32, shape (n,)            the item he got, or would have got
    segments : int32, shape (n,)         -1 for none
    measures : float64, shape (n,) each  refunds taken back; a measure left out is 0
    before_minor : float64, shape (n,)   net spend in the pre-period
    item_names, segment_names : what the numbers stand for
    """

    treated: NDArray[np.bool_]
    items: NDArray[np.int32]
    segments: NDArray[np.int32]
    measures: Mapping[Measure, Floats]
    before_minor: Floats
    item_names: tuple[str, ...]
    segment_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse columns of different lengths."""
        sizes = {self.items.shape, self.segments.shape, self.before_minor.shape}
        sizes |= {values.shape for values in self.measures.values()}
        if sizes != {self.treated.shape}:
            raise ValueError(f"every column of a roster must be {self.treated.shape}")

    def of(self, measure: Measure) -> Floats:
        """A measure of everybody."""
        return self.measures.get(measure, np.zeros(self.treated.size))


@dataclass(frozen=True, slots=True)
class Reading:
    """An effect, read once at the end and read at any time.

    Parameters
    ----------
    fixed : valid when looked at once
    any_time : valid however often one looks; None when nothing was planned at launch, or while an
        arm is too small to know its variance
    """

    fixed: Effect
    any_time: Effect | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What was expected at launch; fixes how results may be read while the campaign runs.

    Parameters
    ----------
    treated, holdout : int     cardholders of the arms
    variances : of one cardholder's outcome at the end; ``p (1 - p)`` for a rate
    """

    treated: int
    holdout: int
    variances: Mapping[Measure, float]

    def rho(self, measure: Measure, confidence: float) -> float | None:
        """Constant of the any-time interval; None when nothing was planned for the measure."""
        planned = effective_size(self.treated, self.holdout) * self.variances.get(measure, 0.0)
        return mixture(planned, confidence=confidence) if planned > 0 else None


@dataclass(frozen=True, slots=True)
class Side:
    """One arm.

    Parameters
    ----------
    cardholders : int
    totals : sums of each measure
    """

    cardholders: int
    totals: Mapping[Measure, float]


@dataclass(frozen=True, slots=True)
class Part:
    """A campaign, or its cardholders of one item or one segment.

    Parameters
    ----------
    name : str
    treated, holdout : Side
    per_cardholder : effect of each compared measure on one cardholder; spend by CUPED
    plain_spend : effect on spend without CUPED
    """

    name: str
    treated: Side
    holdout: Side
    per_cardholder: Mapping[Measure, Reading]
    plain_spend: Effect | None

    def incremental(self, measure: Measure) -> Effect | None:
        """What the pushes added in all: the effect on each, times the treated."""
        reading = self.per_cardholder.get(measure)
        return reading.fixed.times(self.treated.cardholders) if reading else None

    def return_on_cost(self) -> Effect | None:
        """Incremental spend for each unit of money the campaign cost; None without cost.

        The cost is what was paid, so its own chance is none.
        """
        spend, cost = self.incremental(Measure.SPEND), self.treated.totals[Measure.COST]
        return spend.times(1 / cost) if spend and cost > 0 else None


@dataclass(frozen=True, slots=True)
class Review:
    """What a campaign earned."""

    whole: Part
    by_item: tuple[Part, ...]
    by_segment: tuple[Part, ...]
    ratio: RatioCheck | None


def review(
    roster: Roster,
    holdout_bps: int,
    *,
    confidence: float = 0.95,
    plan: Plan | None = None,
) -> Review:
    """Put a campaign's results together.

    Parameters
    ----------
    roster : Roster
    holdout_bps : int      the share that was promised to the holdout
    confidence : float
    plan : Plan            made before the first look; None for readings that are only valid when
        looked at once
    """
    everybody = np.ones(roster.treated.size, np.bool_)
    whole = _part("all", roster, everybody, confidence, plan)
    treated, holdout = whole.treated.cardholders, whole.holdout.cardholders
    return Review(
        whole,
        _parts(roster, roster.items, roster.item_names, confidence),
        _parts(roster, roster.segments, roster.segment_names, confidence),
        sample_ratio(treated, holdout, holdout_bps),
    )


def _parts(
    roster: Roster, numbers: NDArray[np.int32], names: tuple[str, ...], confidence: float
) -> tuple[Part, ...]:
    return tuple(
        _part(name, roster, numbers == number, confidence, None)
        for number, name in enumerate(names)
    )


def _part(
    name: str, roster: Roster, who: NDArray[np.bool_], confidence: float, plan: Plan | None
) -> Part:
    treated, holdout = who & roster.treated, who & ~roster.treated
    readings: dict[Measure, Reading] = {}
    for measure in COMPARED:
        arms = _arms(roster, measure, treated, holdout)
        compare = cuped if measure is Measure.SPEND else difference
        effect = compare(*arms, confidence=confidence)
        if effect is not None:
            rho = plan.rho(measure, confidence) if plan else None
            readings[measure] = _reading(effect, arms, confidence, rho)
    plain = difference(*_arms(roster, Measure.SPEND, treated, holdout), confidence=confidence)
    return Part(name, _side(roster, treated), _side(roster, holdout), readings, plain)


def _arms(
    roster: Roster, measure: Measure, treated: NDArray[np.bool_], holdout: NDArray[np.bool_]
) -> tuple[Arm, Arm]:
    values, before = roster.of(measure), roster.before_minor
    return Arm.of(values[treated], before[treated]), Arm.of(values[holdout], before[holdout])


def _side(roster: Roster, who: NDArray[np.bool_]) -> Side:
    totals = {measure: float(roster.of(measure)[who].sum()) for measure in Measure}
    return Side(int(np.count_nonzero(who)), totals)


def _reading(
    effect: Effect, arms: tuple[Arm, Arm], confidence: float, rho: float | None
) -> Reading:
    if rho is None or min(arms[0].n, arms[1].n) < LEAST_ARM:
        return Reading(effect, None)
    size = effective_size(arms[0].n, arms[1].n)
    return Reading(effect, always_valid(effect, size, rho, confidence=confidence))
