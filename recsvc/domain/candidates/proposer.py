"""What a source of candidates promises, and how several are asked in turn."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.question import Candidate

Mask = NDArray[np.bool_]


class Proposer(Protocol):
    """One source of candidates."""

    def best(self, eligible: Mask, limit: int) -> list[Candidate]:
        """The best eligible items, best first, ties by row; fewer only when there are no more."""


def in_turn(sources: Iterable[Proposer], eligible: Mask, limit: int) -> list[Candidate]:
    """The best eligible items, each once and by the first source that proposes it.

    At most ``limit``; the first source is asked for all of them, the next for the rest.
    """
    left = eligible.copy()
    found: list[Candidate] = []
    for source in sources:
        found += source.best(left, limit - len(found))
        if len(found) >= limit:
            break
        left[[candidate.row for candidate in found]] = False
    return found
