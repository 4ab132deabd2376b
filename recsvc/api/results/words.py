"""Numbers of results as a reader of finance writes them, and what they come to in a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embeddings.catalog.money import exponent
from recsvc.domain.results.effect import Effect

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How amounts are written.

    Parameters
    ----------
    currency : ISO 4217; None where the items have none, or several
    """

    currency: str | None

    def money(self, minor: float) -> str:
        """An amount, from minor units."""
        if self.currency is None:
            return f"{minor:,.0f}"
        decimals = exponent(self.currency)
        return f"{self.currency} {minor / 10**decimals:,.{decimals}f}"

    @property
    def unit(self) -> str:
        """What to say where a number of money has no currency before it."""
        return "" if self.currency else " (minor units)"


def share(rate: float) -> str:
    """A rate in per cent."""
    return f"{rate:.2%}"


def minute(instant: object) -> str:
    """Date, hour and minute of an instant in UTC that is written as RFC 3339 has it."""
    return str(instant)[:16].replace("T", " ")


def points(rate: float) -> str:
    """A difference of rates in percentage points."""
    return f"{100 * rate:+.2f} pp"


def signed(number: float) -> str:
    """A difference of means."""
    return f"{number:+.3f}"


def count(number: float | None) -> str:
    """A count; a dash where nothing is told."""
    return "–" if number is None else f"{number:,.0f}"


def p_value(number: float) -> str:
    """A p-value, never as zero."""
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def effect_of(told: Told) -> Effect:
    """The effect that JSON values tell."""
    return Effect(told["estimate"], 0.0, told["low"], told["high"], told["p_value"])


def read_at(reading: Told, *, is_over: bool) -> Effect:
    """The effect to be read now: while a campaign runs, the one that may be looked at any day."""
    kept = reading["fixed"] if is_over or not reading["any_time"] else reading["any_time"]
    return effect_of(kept)


def verdict(of_what: str, effect: Effect, people: int, spell: Callable[[float], str]) -> str:
    """What the pushes added in all, in one sentence.

    Parameters
    ----------
    of_what : as it follows a number, such as "activations" or "of spend"
    effect : on one cardholder
    people : the treated
    spell : writes the amount for all of them
    """
    whole = effect.times(people)
    between = f"the truth is likely between {spell(whole.low)} and {spell(whole.high)}"
    if effect.low <= 0 <= effect.high:
        name = of_what.removeprefix("of ")
        return f"Whether the pushes changed {name} cannot be told yet; {between}."
    word = "added about" if effect.estimate > 0 else "cost about"
    return f"The pushes {word} {spell(abs(whole.estimate))} {of_what}; {between}."
