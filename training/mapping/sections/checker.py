"""Refuses settings that are unknown or of a wrong type, and says what to write instead."""

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from training.errors import BadInputError
from training.mapping.sections.settings import Kinds

WORDS = {
    str: 'text in quotes: "…"',
    list: 'a list of texts: ["…", "…"]',
    dict: "a table",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date without quotes, such as 2020-01-31",
}


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks of one mapping file; every error begins with the file's name.

    Parameters
    ----------
    name : str
        The file's name.
    """

    name: str

    def error(self, message: str) -> BadInputError:
        """Error of this file, for the caller to raise."""
        return BadInputError(f"{self.name}: {message}")

    def known(self, where: str, table: dict[str, Any], known: Collection[str]) -> None:
        """Refuse names that are not among the known ones; suggests the nearest."""
        for name in table:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                dotted = f"{where}.{name}" if where else name
                raise self.error(f"unknown setting {dotted}; {hint}")

    def table(self, where: str, table: object, example: str) -> None:
        """Refuse what is no table."""
        if not isinstance(table, dict):
            raise self.error(f"{where}: must be a table: {example}")

    def typed(self, where: str, table: object, settings: Kinds) -> None:
        """Refuse settings that are unknown or of another type."""
        if not isinstance(table, dict):
            raise self.error(f"{where}: must be a table, a section of its own: [{where}]")
        self.known(where, table, settings)
        for name, value in table.items():
            kind = settings[name]
            is_bool = isinstance(value, bool) and kind is not bool
            texts = not isinstance(value, list) or all(isinstance(v, str) for v in value)
            if is_bool or not isinstance(value, kind) or not texts:
                raise self.error(
                    f"{where}.{name}: is of the wrong type, {type(value).__name__}; write "
                    f"{_expected(kind)}"
                )

    def must(self, action: Callable[[], object], where: str, advice: str) -> None:
        """Run a check of a library; what it refuses is our error, which ends in the advice."""
        try:
            action()
        except (LookupError, ValueError, OSError, pl.exceptions.PolarsError) as error:
            raise self.error(f"{where}: not known or not readable; {advice}") from error

    def patterns(self, where: str, value: Any, *, groups: bool) -> tuple[str, ...]:  # noqa: ANN401
        """Regular expressions that compile; with a group where the group is the value."""
        found = strings(value)
        for pattern in found:
            advice = "write a regular expression between single quotes, such as '0*(\\d+)$'"
            self.must(partial(_compiled, pattern), f"{where} '{pattern}'", advice)
            if groups and re.search(r"(?<!\\)\((?!\?)", pattern) is None:
                raise self.error(f"{where} '{pattern}': has no group (…) around the value")
        return found


def strings(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """One text or a list of them, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def _expected(kind: type | tuple[type, ...]) -> str:
    """Words for what a setting may be."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(WORDS[each] for each in kinds)


def _compiled(pattern: str) -> None:
    """Try a pattern on the engine that will run it."""
    pl.Series([""]).str.contains(pattern)
