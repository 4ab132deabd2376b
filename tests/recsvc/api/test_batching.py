"""Questions that are asked at the same time are answered together, each to the one who asked it."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.api.batching import MOST_TOGETHER, Batcher

PATIENCE_SECONDS = 20


class Gate:
    """Answers a number with its double; the first batch waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def answer_all(self, asked: Sequence[int]) -> list[int | Exception]:
        """Twice each number; an error for each below zero."""
        self.batches.append(list(asked))
        self.entered.set()
        assert self.let_go.wait(PATIENCE_SECONDS)
        return [ValueError(number) if number < 0 else 2 * number for number in asked]


def all_waiting(batcher: Batcher[int, int], number: int) -> None:
    """Return once so many stand in line."""
    deadline = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if len(batcher._waiting) == number:
            return
        deadline.wait(0.01)
    raise AssertionError(f"{len(batcher._waiting)} of {number} stand in line")


def asked_behind_the_first(numbers: Sequence[int]) -> tuple[Gate, list[int | Exception]]:
    """What each was told who asked while the first batch, of 0 alone, was at it."""
    gate = Gate()
    batcher = Batcher(gate.answer_all)

    def ask(number: int) -> int | Exception:
        try:
            return batcher.ask(number)
        except Exception as error:  # noqa: BLE001 - compared by the test
            return error

    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(ask, 0)
        assert gate.entered.wait(PATIENCE_SECONDS)
        rest = []
        for place, number in enumerate(numbers, 1):
            rest.append(pool.submit(ask, number))
            all_waiting(batcher, place)
        gate.let_go.set()
        assert first.result(PATIENCE_SECONDS) == 0
        return gate, [one.result(PATIENCE_SECONDS) for one in rest]


def test_who_asks_while_another_is_answered_shares_the_next_batch() -> None:
    gate, told = asked_behind_the_first([5, 3, 4])

    assert gate.batches == [[0], [5, 3, 4]]
    assert told == [10, 6, 8]


def test_no_batch_is_larger_than_the_limit_and_none_is_left_behind() -> None:
    numbers = list(range(1, 2 * MOST_TOGETHER + 4))

    gate, told = asked_behind_the_first(numbers)

    assert [len(batch) for batch in gate.batches] == [1, MOST_TOGETHER, MOST_TOGETHER, 3]
    assert [number for batch in gate.batches for number in batch] == [0, *numbers]
    assert told == [2 * number for number in numbers]


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 9), min_size=1, max_size=12))
def test_each_is_told_his_own_answer_or_his_own_error(numbers: list[int]) -> None:
    _, told = asked_behind_the_first(numbers)

    for number, answer in zip(numbers, told, strict=True):
        assert str(answer) == str(number if number < 0 else 2 * number)
        assert isinstance(answer, ValueError) == (number < 0)


def test_a_batch_that_fails_fails_for_all_of_it_and_for_nobody_after() -> None:
    broken = [True]

    def answer_all(asked: Sequence[int]) -> list[int | Exception]:
        if broken[0]:
            raise OSError("the store is away")
        return list(asked)

    batcher = Batcher(answer_all)
    with pytest.raises(OSError, match="the store is away"):
        batcher.ask(1)
    broken[0] = False

    assert batcher.ask(2) == 2


def test_a_thread_that_is_ended_while_it_leads_holds_nobody_up() -> None:
    ending = [True]

    def answer_all(asked: Sequence[int]) -> list[int | Exception]:
        if ending.pop() if ending else False:
            raise SystemExit
        return list(asked)

    batcher = Batcher(answer_all)
    with pytest.raises(SystemExit):
        batcher.ask(1)

    assert batcher.ask(2) == 2


def test_many_threads_asking_on_and_on_are_each_told_their_own() -> None:
    asked_by = 12

    def answer_all(asked: Sequence[tuple[int, int]]) -> list[tuple[int, int] | Exception]:
        return list(asked)

    batcher = Batcher(answer_all)

    def ask_on(thread: int) -> bool:
        return all(batcher.ask((thread, turn)) == (thread, turn) for turn in range(500))

    with ThreadPoolExecutor(asked_by) as pool:
        assert all(pool.map(ask_on, range(asked_by), timeout=PATIENCE_SECONDS))
