"""Work that runs while its results are used: a few items read ahead, a few worked on side by side.

The libraries that decode, sort and hash let go of the interpreter while they work, so a second
thread is a second core. Results come in the order of the items: nothing depends on which thread
was first.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

SIDE_BY_SIDE = 2
"""How many items are worked on at a time; each takes memory, so this does not grow with cores."""

AHEAD = 3
"""How many items are made before they are asked for: one batch takes longer to decode, another to
use, and with one alone ahead each side waits for the other by turns."""


def read_ahead(items: Generator[Item]) -> Generator[Item]:
    """The items in their order, the next ``AHEAD`` made while one is used.

    An error of the items comes where the item would have; whoever stops early closes them too.
    """
    with ThreadPoolExecutor(1) as reader:
        coming = deque(reader.submit(_next_of, items) for _ in range(AHEAD))
        try:
            while found := coming.popleft().result():
                coming.append(reader.submit(_next_of, items))
                yield found[0]
        finally:
            for unwanted in coming:
                unwanted.cancel()
            reader.submit(items.close).result()


def _next_of(items: Iterator[Item]) -> tuple[Item] | None:
    """The next item alone, None after the last."""
    for item in items:
        return (item,)
    return None


def in_order(work: Callable[[Item], Made], items: Iterator[Item]) -> Generator[Made]:
    """What the work makes of each item, in their order, ``SIDE_BY_SIDE`` worked on at a time.

    An error of the work comes where its result would have.
    """
    with ThreadPoolExecutor(SIDE_BY_SIDE) as workers:
        coming: deque[Future[Made]] = deque()
        try:
            coming.extend(workers.submit(work, one) for one in islice(items, SIDE_BY_SIDE))
            while coming:
                made = coming.popleft().result()
                coming.extend(workers.submit(work, one) for one in islice(items, 1))
                yield made
        finally:
            for unwanted in coming:
                unwanted.cancel()
