"""What a request asks of the stores ends with its time, and tells nothing untrue of the store."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.errors import StoreAwayError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.deadline import BudgetSpentError, Deadline
from tests.service import a_connection

MARGIN_SECONDS = 0.25
Asks = Callable[[Connection], Any]


def _get(store: redis.Redis) -> object:
    return store.get("x")


WAYS: dict[str, Asks] = {
    "ask": lambda c: c.ask(_get),
    "patiently": lambda c: c.ask_patiently(_get),
    "together": lambda c: c.read_together([("GET", "x")]),
    "together, patiently": lambda c: c.read_together_patiently([("GET", "x")]),
}


def _seconds(ask: Callable[[], Any], reason: str) -> float:
    began = time.perf_counter()
    with pytest.raises(StoreAwayError, match=reason):
        ask()
    return time.perf_counter() - began


@given(budget=st.floats(0.001, 100), spent=st.floats(0, 200), most=st.floats(0.001, 100))
def test_a_wait_is_the_shorter_of_what_is_left_and_its_own_longest(
    budget: float, spent: float, most: float
) -> None:
    now = [1000.0]
    deadline = Deadline(lambda: now[0])
    deadline.begin(budget)
    now[0] += spent

    if now[0] >= 1000.0 + budget:
        with pytest.raises(BudgetSpentError):
            deadline.wait(most)
    else:
        assert deadline.wait(most) == min(most, 1000.0 + budget - now[0])
    deadline.end()
    assert deadline.wait(most) == most


@pytest.mark.parametrize("way", WAYS)
def test_f02_a_command_waits_no_longer_than_its_request_may(
    way: str, black_hole: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(black_hole, log=log, metrics=metrics, wait_seconds=4.0)
    connection.deadline.begin(0.2)
    taken = _seconds(lambda: WAYS[way](connection), "budget_spent")
    again = _seconds(lambda: WAYS[way](connection), "budget_spent")
    connection.close()

    assert 0.1 < taken < 0.2 + MARGIN_SECONDS
    assert again < MARGIN_SECONDS


def test_f02_many_commands_of_one_question_share_one_request_s_time(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics, wait_seconds=4.0)

    def slowly(store: redis.Redis) -> None:
        for _ in range(20):
            store.blpop(["nothing"], timeout=0.1)

    connection.deadline.begin(0.35)
    taken = _seconds(lambda: connection.ask_patiently(slowly), "budget_spent")
    connection.deadline.end()
    answer = connection.ask_patiently(lambda store: store.echo("mine"))
    connection.close()

    assert taken < 0.35 + MARGIN_SECONDS
    assert answer == b"mine"


def test_a_wait_for_a_free_connection_ends_with_the_request(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics, wait_seconds=4.0)

    def hold(_: int) -> None:
        connection.ask_patiently(lambda store: store.blpop(["nothing"], timeout=1.0))

    with ThreadPoolExecutor(4) as pool:
        holders = [pool.submit(hold, n) for n in range(4)]
        _until_busy(store_url, 4)
        connection.deadline.begin(0.2)
        taken = _seconds(lambda: connection.ask_patiently(_get), "budget_spent")
        for one in holders:
            one.result()
    connection.close()

    assert taken < 0.2 + MARGIN_SECONDS


def _until_busy(url: str, count: int) -> None:
    """Wait until so many clients are blocked at the store."""
    with redis.Redis.from_url(url) as watcher:
        until = time.monotonic() + 5
        while watcher.info("clients")["blocked_clients"] < count:
            assert time.monotonic() < until, "the clients did not come to wait"


def test_a_thread_s_deadline_binds_no_other_thread(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)
    connection.deadline.begin(-1.0)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: connection.ask(lambda store: store.echo("here"))).result()
    own = _seconds(lambda: connection.ask(_get), "budget_spent")
    connection.close()

    assert other == b"here"
    assert own < MARGIN_SECONDS


def test_requests_without_time_do_not_speak_against_a_store_that_answers(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)
    connection.deadline.begin(-1.0)
    for _ in range(12):
        _seconds(lambda: connection.ask(_get), "budget_spent")
    connection.deadline.end()

    assert connection.ask(lambda store: store.echo("here")) == b"here"
    connection.close()
