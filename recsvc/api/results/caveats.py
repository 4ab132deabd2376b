"""What speaks for and against the figures of a results page, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from recsvc.api.results.words import count, minute, p_value, share

Told = Mapping[str, Any]


def caveats(told: Told) -> list[str]:
    """Every caveat that holds of a document of results, in a fixed order; at least one."""
    return [
        *_sample_ratio(told),
        *_smallest_effect(told),
        *_what_is_missing(told),
        *_when(told),
        f"Nothing is told of fewer than {told['minimum']} cardholders.",
    ]


def _sample_ratio(told: Told) -> Iterator[str]:
    ratio = told.get("sample_ratio")
    if ratio is not None:
        word = "is not" if ratio["broken"] else "is"
        yield (
            f"Sample ratio: {count(ratio['expected_holdout'])} were to be held out, "
            f"{count(told['holdout'].get('cardholders'))} were; that {word} what chance deals "
            f"(p = {p_value(ratio['p_value'])})."
        )


def _smallest_effect(told: Told) -> Iterator[str]:
    """Which change groups of these sizes can show, and what that was reckoned with."""
    found, rate = told.get("detectable_difference"), told.get("baseline_rate")
    if found is None or rate is None:
        return
    because = (
        f"if {share(rate)} of the held out activate by themselves, as was assumed before the "
        "launch; once ten did, their own share is taken"
        if told["baseline_assumed"]
        else f"as {share(rate)} of the held out activated by themselves"
    )
    yield (
        "Smallest effect to be seen: with groups of these sizes, a change of activation by "
        f"{100 * found:.2f} percentage points is found four times in five, {because}. A "
        "smaller one may be there and stay unseen."
    )


def _what_is_missing(told: Told) -> Iterator[str]:
    cut = sum(told[arm].get("cut_short") or 0 for arm in ("treated", "holdout"))
    if cut:
        yield (
            f"Cut short: {count(cut)} cardholders did more than is remembered of each. Their "
            "first visits, spend, views and activations of the campaign may be missing in both "
            "groups alike; redemptions are whole. So spend and visits are rather too low."
        )
    if told.get("past_retention"):
        yield (
            "Retention: events of the campaign's first days have been deleted as promised, so "
            "visits and spend of those days are missing in both groups."
        )


def _when(told: Told) -> Iterator[str]:
    if told.get("fresh_until"):
        since, until = minute(told["as_of"]), minute(told["fresh_until"])
        yield (
            f"As of when: these figures were worked out at {since} UTC and are told unchanged "
            f"until {until} UTC. Pushes that left and whatever cardholders did since are in the "
            "figures after that."
        )
