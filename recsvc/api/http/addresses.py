"""Addresses of the form /v1/things/<id>/more, found by one look-up.

Werkzeug makes an adapter of a request's host and scheme and walks its map part by part: together
as much as the rest of Flask. It still does so for every other form, and for whatever is not found
here, so what is refused is refused in its words.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

from werkzeug.routing import Rule

FORM = re.compile(r"^/([^/<>]+)/([^/<>]+)/<(?:string:)?(\w+)>/([^<>]+)\Z")


class Found(NamedTuple):
    """A rule and the id that stands in the address; matches as an adapter does."""

    rule: Rule
    segments: dict[str, str]

    def match(self, *, return_rule: bool) -> Self:  # noqa: ARG002 - an adapter's parameter
        """Itself."""
        return self


class Addresses:
    """Rules by method and by the parts around the id.

    Parameters
    ----------
    rules : rules of any form; those of another are left out
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[tuple[str, str, str, str], tuple[Rule, str]] = {}
        for rule in rules:
            for first, things, name, more in FORM.findall(rule.rule):
                for method in rule.methods or ():
                    self._rules[method, first, things, more] = (rule, name)

    def find(self, method: str, path: str) -> Found | None:
        """The rule of an address; None when it has another form or is not known.

        Parameters
        ----------
        path : begins with a slash
        """
        parts = path.split("/", 4)
        if len(parts) < 5 or not parts[3]:
            return None
        known = self._rules.get((method, parts[1], parts[2], parts[4]))
        return Found(known[0], {known[1]: parts[3]}) if known else None
