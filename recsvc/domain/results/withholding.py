"""What of a review may be told: nothing that counts fewer people than the minimum."""

from collections.abc import Mapping, Sequence

from recsvc.domain.audience.disclosure import rounded
from recsvc.domain.results.effect import Effect
from recsvc.domain.results.planning import Baseline, detectable_rate
from recsvc.domain.results.review import Measure, Part, Reading, Review, Side

Told = dict[str, object]
EVENTS = (Measure.SENT, Measure.SERVED, Measure.VIEWED, Measure.ACTIVATED, Measure.REDEEMED)


def withheld(sizes: Sequence[int], minimum: int) -> list[bool]:
    """Which of several parts of one whole must not be told.

    Parts below the minimum are withheld. The whole is told as well, so those withheld must come
    to at least the minimum together, or their sum would be what the whole lacks: the smallest of
    the others follow until they do.
    """
    hidden = [0 < size < minimum for size in sizes]
    rest = sorted((size, place) for place, size in enumerate(sizes) if size >= minimum)
    while any(hidden) and rest and _hidden_sum(sizes, hidden) < minimum:
        hidden[rest.pop(0)[1]] = True
    return hidden


def _hidden_sum(sizes: Sequence[int], hidden: Sequence[bool]) -> int:
    return sum(size for size, is_hidden in zip(sizes, hidden, strict=True) if is_hidden)


def told(review: Review, *, minimum: int, confidence: float, for_merchant: bool) -> Told:
    """The review as JSON values.

    Parameters
    ----------
    minimum : int          cardholders (and, for a merchant, events) below which nothing is told
    confidence : float     of the intervals, to be named beside them
    for_merchant : bool    a merchant sees counts above the minimum and nothing else: no spend of
        the holdout, no intervals of parts
    """
    return {
        "confidence": confidence,
        "minimum": minimum,
        **_told_part(review.whole, minimum, for_merchant=for_merchant),
        "sample_ratio": _told_ratio(review),
        **({} if for_merchant else _told_detectable(review.whole, minimum)),
        "by_item": _told_parts(review.by_item, minimum, for_merchant=for_merchant),
        "by_segment": _told_parts(review.by_segment, minimum, for_merchant=for_merchant),
    }


def _told_detectable(whole: Part, minimum: int) -> Told:
    """The smallest difference of activation rates that these arms show four times in five."""
    size = whole.holdout.cardholders
    if size < minimum:
        return {"detectable_difference": None}
    baseline = Baseline.seen(int(whole.holdout.totals[Measure.ACTIVATED]), size)
    found = detectable_rate(whole.treated.cardholders, size, rate=baseline.rate)
    return {
        "detectable_difference": found,
        "baseline_rate": baseline.rate,
        "baseline_assumed": baseline.is_assumed,
    }


def _told_parts(parts: Sequence[Part], minimum: int, *, for_merchant: bool) -> list[Told]:
    """Parts whose arms are both large enough; the others by name alone."""
    sizes = [_smaller_arm(part) for part in parts]
    return [
        {"name": part.name, "withheld": True}
        if hidden
        else {
            "name": part.name,
            "withheld": False,
            **_told_part(part, minimum, for_merchant=for_merchant),
        }
        for part, hidden in zip(parts, withheld(sizes, minimum), strict=True)
    ]


def _smaller_arm(part: Part) -> int:
    sizes = (part.treated.cardholders, part.holdout.cardholders)
    return min(sizes) or max(sizes)


def _told_part(part: Part, minimum: int, *, for_merchant: bool) -> Told:
    sides: Told = {
        "treated": _told_side(part.treated, minimum, for_merchant=for_merchant),
        "holdout": _told_side(part.holdout, minimum, for_merchant=for_merchant),
    }
    if for_merchant:
        return sides
    return {
        **sides,
        "lift": {m.value: _told_reading(r) for m, r in part.per_cardholder.items()},
        "lift_spend_without_cuped": _told_effect(part.plain_spend),
        "incremental": {m.value: _told_effect(part.incremental(m)) for m in part.per_cardholder},
        "cost_minor": part.treated.totals[Measure.COST],
        "return_on_cost": _told_effect(part.return_on_cost()),
    }


def _told_side(side: Side, minimum: int, *, for_merchant: bool) -> Told:
    """Counts of an arm; a merchant gets no money, and counts as coarse as those of an estimate.

    Exact counts read every day would tell him of each single customer on the day he came.
    """
    if 0 < side.cardholders < minimum:
        return {"cardholders": None}
    shown: Mapping[Measure, float] = side.totals
    if for_merchant:
        counts = {m.value: int(shown[m]) for m in EVENTS}
        counts = {"cardholders": side.cardholders, **counts}
        return {name: _coarse(n, minimum) for name, n in counts.items()}
    return {"cardholders": side.cardholders, **{m.value: int(n) for m, n in shown.items()}}


def _coarse(count: int, minimum: int) -> int | None:
    """A count rounded down; None where it is below the minimum and not 0."""
    if 0 < count < minimum:
        return None
    return rounded(count, minimum)


def _told_reading(reading: Reading) -> Told:
    return {"fixed": _told_effect(reading.fixed), "any_time": _told_effect(reading.any_time)}


def _told_effect(effect: Effect | None) -> Told | None:
    return None if effect is None else {**effect.told()}


def _told_ratio(review: Review) -> Told | None:
    ratio = review.ratio
    if ratio is None:
        return None
    return {
        "expected_holdout": round(ratio.expected_holdout),
        "p_value": ratio.p_value,
        "broken": ratio.is_broken,
    }
