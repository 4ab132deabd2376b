"""What a count may say: rounded, never below a minimum, and blind to any single person.

No rule that looks at one count alone can hide one person: some audience always stands at an edge,
and adding one person steps over it. So an answer also looks at the answers given before: an
audience that differs from an earlier one by fewer than the minimum gets the earlier answer.

The law that holds: *no two audiences that differ by fewer than the minimum ever get two different
numbers*. Where earlier answers contradict each other the new one is withheld.

Audiences are compared by a sketch (Charikar, Chen, Farach-Colton 2002: each member adds +1 or -1
to one of ``WIDTH`` places, chosen by his keyed hash), which tells nothing of any member, does not
depend on the model's rows, and whose squared distance is the number of people that differ:
exactly 1 for one person, without bias for more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

WIDTH = 1_024
MIN_REPORT = 50

Sketch = NDArray[np.int32]


class Withheld(StrEnum):
    """Why there is no number."""

    BELOW_MINIMUM = "below_minimum"
    TOO_CLOSE = "too_close_to_earlier"
    TOO_MANY = "too_many_audiences"


Answer = int | Withheld


@dataclass(frozen=True, slots=True, eq=False)
class Disclosed:
    """An answer given before.

    Parameters
    ----------
    sketch : int32, shape (WIDTH,)
    answer : int or Withheld
    """

    sketch: Sketch
    answer: Answer


def sketch_of(hashes: NDArray[np.uint64], members: NDArray[np.bool_] | None = None) -> Sketch:
    """Sketch of a set of cardholders.

    Parameters
    ----------
    hashes : uint64, shape (n,)   keyed hash of each cardholder's id
    members : bool, shape (n,)    who is in the set; None for all

    Returns
    -------
    int32, shape (WIDTH,); zeros for nobody
    """
    chosen = hashes if members is None else hashes[members]
    place = (chosen & np.uint64(2 * WIDTH - 1)).astype(np.int64)
    tally = np.bincount(place, minlength=2 * WIDTH)
    return (tally[:WIDTH] - tally[WIDTH:]).astype(np.int32)


def distance(one: Sketch, other: Sketch) -> int:
    """How many people are in one set and not in the other, as the sketches tell."""
    apart = np.subtract(one, other, dtype=np.int64)
    return int(np.square(apart).sum())


def rounded(count: int, minimum: int) -> int:
    """Round down to two leading digits and to a multiple of the minimum; never overstates."""
    step = max(minimum, int(10 ** max(len(str(count)) - 2, 0)))
    step = -(-step // minimum) * minimum
    return count // step * step


def disclose(
    count: int,
    sketch: Sketch,
    earlier: Iterable[Disclosed],
    *,
    minimum: int = MIN_REPORT,
    has_room: bool = True,
) -> Answer:
    """What may be said of an audience, given what was said before.

    Parameters
    ----------
    count : int                     exact size
    sketch : int32, shape (WIDTH,)  of the same audience
    earlier : answers to the same question about other audiences of this issuer
    minimum : int, at least 2
    has_room : whether one more answer can be remembered; what cannot is not told, or whoever asks
        often enough would make the earlier ones be forgotten

    Returns
    -------
    The earlier answer when one is near; :attr:`Withheld.TOO_CLOSE` when near ones disagree; without
    room the answer to the same audience or :attr:`Withheld.TOO_MANY`; else
    :attr:`Withheld.BELOW_MINIMUM`, or the rounded count.
    """
    if minimum < 2:
        raise ValueError(f"minimum: {minimum} must be at least 2 to protect anyone")
    near = near_answers(sketch, earlier, minimum if has_room else 1)
    if len(near) > 1:
        return Withheld.TOO_CLOSE
    if near:
        return near.pop()
    if not has_room:
        return Withheld.TOO_MANY
    return rounded(count, minimum) if count >= minimum else Withheld.BELOW_MINIMUM


def near_answers(sketch: Sketch, earlier: Iterable[Disclosed], nearer_than: int) -> set[Answer]:
    """The different answers that audiences nearer than this got."""
    return {past.answer for past in earlier if distance(sketch, past.sketch) < nearer_than}


def safe_count(answer: Answer, near: Iterable[Answer], count: int, minimum: int) -> int:
    """A number to reckon with where an answer is withheld: the least that could have been told.

    Parameters
    ----------
    near : what near audiences were told
    count : exact; looked at, rounded, only where there was no room to remember an answer
    """
    if isinstance(answer, int):
        return answer
    if answer is Withheld.TOO_MANY:
        return rounded(count, minimum)
    return min((one if isinstance(one, int) else 0 for one in near), default=0)
