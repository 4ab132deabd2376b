"""A marketer's rule over scores of cardholders: ``churn_risk >= 0.6 and value >= p70``.

Grammar (no other word, call or attribute exists, so nothing can be executed)::

    rule       = both { "or" both }
    both       = single { "and" single }
    single     = "not" single | "(" rule ")" | comparison
    comparison = name ( ">=" | ">" | "<=" | "<" ) ( number | "p" percent )

``p70`` is the 70th percentile of that score over the cardholders who have it. A cardholder whose
score is not known never passes a comparison, negated or not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.errors import InvalidError

MAX_CHARACTERS = 500
MAX_COMPARISONS = 20
MAX_DEPTH = 20

Operator = Literal[">=", ">", "<=", "<"]
Scores = Mapping[str, NDArray[np.float32]]

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>>=|<=|>|<)|(?P<bracket>[()])|(?P<percentile>p\d{1,3}(?:\.\d{1,2})?)(?!\w)"
    r"|(?P<number>-?\d{1,15}(?:\.\d{1,9})?)(?![\w.])|(?P<word>[a-z][a-z_]{0,63})(?!\w))"
)
_NEGATED: Mapping[str, Operator] = {">=": "<", ">": "<=", "<=": ">", "<": ">="}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One score against a number, or against a percentile of itself."""

    name: str
    operator: Operator
    number: float
    is_percentile: bool = False

    def passes(self, scores: Scores) -> NDArray[np.bool_]:
        """Cardholders who pass; those whose score is NaN do not."""
        values = scores[self.name]
        bound = np.float32(self._bound(values))
        match self.operator:
            case ">=":
                return np.asarray(values >= bound)
            case ">":
                return np.asarray(values > bound)
            case "<=":
                return np.asarray(values <= bound)
            case "<":
                return np.asarray(values < bound)

    def _bound(self, values: NDArray[np.float32]) -> float:
        if not self.is_percentile:
            return self.number
        known = values[~np.isnan(values)]
        return float(np.percentile(known, self.number)) if known.size else float("nan")


@dataclass(frozen=True, slots=True)
class Joined:
    """Several rules of which all, or any, must pass."""

    word: Literal["and", "or"]
    parts: tuple["Rule", ...]

    def passes(self, scores: Scores) -> NDArray[np.bool_]:
        """Cardholders who pass all parts, or any of them."""
        join = np.logical_and if self.word == "and" else np.logical_or
        return np.asarray(join.reduce([part.passes(scores) for part in self.parts]))


Rule = Comparison | Joined


def names_of(rule: Rule) -> frozenset[str]:
    """The scores a rule asks for."""
    if isinstance(rule, Comparison):
        return frozenset((rule.name,))
    return frozenset[str]().union(*map(names_of, rule.parts))


def parse_rule(text: str, known: frozenset[str], *, pointer: str = "/filter") -> Rule:
    """Read a rule.

    Parameters
    ----------
    text : str                 at most ``MAX_CHARACTERS``
    known : names of the scores that the model in use has
    pointer : where the rule stands in what was sent, for the error

    Raises
    ------
    InvalidError
        Names the place and what was expected there.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidError(pointer, f"is longer than {MAX_CHARACTERS} characters")
    return _Parser(text, known, pointer).rule()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


class _Parser:
    """Recursive descent; ``not`` is pushed down to the comparisons while reading."""

    def __init__(self, text: str, known: frozenset[str], pointer: str) -> None:
        self._pointer = pointer
        self._known = known
        self._tokens = self._split(text.rstrip())
        self._next = next(self._tokens)
        self._comparisons = 0

    def rule(self) -> Rule:
        rule = self._joined("or", negated=False, depth=0)
        if self._next.kind != "end":
            self._refuse("'and', 'or' or the end")
        return rule

    def _split(self, text: str) -> Iterator[_Token]:
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise InvalidError(self._pointer, f"no word of a rule at character {place + 1}")
            yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
            place = match.end()
        yield _Token("end", "", len(text) + 1)

    def _refuse(self, expected: str) -> NoReturn:
        raise InvalidError(self._pointer, f"expected {expected} at character {self._next.place}")

    def _take(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _joined(self, word: Literal["and", "or"], *, negated: bool, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise InvalidError(self._pointer, f"is nested deeper than {MAX_DEPTH}")
        parts = [self._part(word, negated=negated, depth=depth)]
        while self._next.text == word:
            self._take()
            parts.append(self._part(word, negated=negated, depth=depth))
        becomes: Literal["and", "or"] = "and" if (word == "and") != negated else "or"
        return parts[0] if len(parts) == 1 else Joined(becomes, tuple(parts))

    def _part(self, word: Literal["and", "or"], *, negated: bool, depth: int) -> Rule:
        if word == "or":
            return self._joined("and", negated=negated, depth=depth)
        return self._single(negated=negated, depth=depth)

    def _single(self, *, negated: bool, depth: int) -> Rule:
        while self._next.text == "not":
            self._take()
            negated = not negated
        if self._next.text != "(":
            return self._comparison(negated=negated)
        self._take()
        rule = self._joined("or", negated=negated, depth=depth + 1)
        if self._next.text != ")":
            self._refuse("')'")
        self._take()
        return rule

    def _comparison(self, *, negated: bool) -> Comparison:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise InvalidError(self._pointer, f"compares more than {MAX_COMPARISONS} times")
        name = self._name()
        if self._next.kind != "operator":
            self._refuse("one of >= > <= <")
        operator = self._take().text
        number, is_percentile = self._bound()
        kept: Operator = _NEGATED[operator] if negated else _NEGATED[_NEGATED[operator]]
        return Comparison(name, kept, number, is_percentile)

    def _name(self) -> str:
        if self._next.kind != "word" or self._next.text not in self._known:
            if not self._known:
                raise InvalidError(self._pointer, "the model in use has no scores to filter by")
            self._refuse(f"one of {', '.join(sorted(self._known))}")
        return self._take().text

    def _bound(self) -> tuple[float, bool]:
        if self._next.kind not in ("number", "percentile"):
            self._refuse("a number or a percentile such as p70")
        is_percentile = self._next.kind == "percentile"
        number = float(self._next.text.removeprefix("p"))
        if is_percentile and number > 100:
            self._refuse("a percentile from p0 to p100")
        self._take()
        return number, is_percentile
