"""Work beside work: whatever the threads do, results come in order, and errors in their place."""

from collections.abc import Generator
from threading import Barrier, Event, current_thread

import pytest

from training.ahead import AHEAD, SIDE_BY_SIDE, in_order, read_ahead

PATIENCE_SECONDS = 20


def counted(n: int, told: list[str], error_at: int | None = None) -> Generator[int]:
    try:
        for number in range(n):
            if number == error_at:
                raise ValueError(f"item {number} is broken")
            told.append(f"{number} made by {current_thread().name}")
            yield number
    finally:
        told.append("closed")


def test_items_read_ahead_are_the_items_made_by_another_thread() -> None:
    told: list[str] = []

    assert [*read_ahead(counted(5, told))] == [0, 1, 2, 3, 4]
    assert told[-1] == "closed"
    assert not any(current_thread().name in line for line in told)


def test_an_item_is_made_while_the_one_before_is_used() -> None:
    both = Barrier(2, timeout=PATIENCE_SECONDS)

    def items() -> Generator[int]:
        yield 0
        both.wait()
        yield 1

    ahead = read_ahead(items())
    assert next(ahead) == 0
    both.wait()
    assert [*ahead] == [1]


def test_so_many_items_are_made_ahead_and_no_more() -> None:
    made, enough = list[int](), Event()

    def items() -> Generator[int]:
        for number in range(100):
            made.append(number)
            if number == AHEAD - 1:
                enough.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert enough.wait(PATIENCE_SECONDS)
    assert next(ahead) == 1
    assert next(ahead) == 2
    ahead.close()

    assert made == [*range(len(made))]
    assert AHEAD <= len(made) <= 3 + AHEAD


def test_an_error_comes_where_its_item_would_have() -> None:
    told: list[str] = []
    ahead = read_ahead(counted(5, told, error_at=2))

    assert [next(ahead), next(ahead)] == [0, 1]
    with pytest.raises(ValueError, match="item 2 is broken"):
        next(ahead)
    assert told[-1] == "closed"


def test_whoever_stops_early_closes_the_items() -> None:
    told: list[str] = []
    ahead = read_ahead(counted(1_000, told))
    assert next(ahead) == 0
    ahead.close()

    assert told[-1] == "closed"
    assert len(told) <= 1 + AHEAD + 1


def test_results_come_in_the_order_of_the_items_though_later_ones_are_done_first() -> None:
    both = Barrier(SIDE_BY_SIDE, timeout=PATIENCE_SECONDS)

    def work(item: int) -> int:
        both.wait()  # nobody ends before as many work as may
        return item * item

    assert [*in_order(work, iter(range(6)))] == [0, 1, 4, 9, 16, 25]


def test_no_more_is_begun_than_is_worked_on_and_waited_for() -> None:
    begun: list[int] = []

    def items() -> Generator[int]:
        for number in range(100):
            begun.append(number)
            yield number

    made = in_order(str, items())
    assert next(made) == "0"
    assert len(begun) == SIDE_BY_SIDE + 1
    made.close()
    assert len(begun) == SIDE_BY_SIDE + 1


def test_an_error_of_the_work_comes_where_its_result_would_have() -> None:
    made = in_order(lambda item: 1 // item, iter([1, 0, 1]))

    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_nothing_ahead_of_nothing() -> None:
    assert [*read_ahead(counted(0, []))] == []
    assert [*in_order(str, iter(()))] == []
