"""One key, one effect: in the store and over HTTP semantics."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, request

from recsvc.api.http import lifecycle, problems
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.rates import ProbeWatch
from recsvc.domain.errors import ConflictError, StoreAwayError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.idempotency import Begun, IdempotencyStore


@pytest.fixture
def store(stores: Stores) -> IdempotencyStore:
    return IdempotencyStore(stores.durable, stores.deny_list)


def test_f59_of_fifty_parallel_claims_exactly_one_is_first(store: IdempotencyStore) -> None:
    verdicts: list[Begun] = []
    barrier = threading.Barrier(8)

    def claim() -> None:
        barrier.wait()
        verdicts.extend(store.begin("demo", "r", "k", b"{}").begun for _ in range(6))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdicts.count(Begun.FIRST) == 1
    assert set(verdicts) == {Begun.FIRST, Begun.IN_FLIGHT}


def test_f59_issuers_and_routes_have_keys_of_their_own(store: IdempotencyStore) -> None:
    store.begin("demo", "r", "k", b"{}")

    assert store.begin("other", "r", "k", b"{}").begun is Begun.FIRST
    assert store.begin("demo", "r2", "k", b"{}").begun is Begun.FIRST


def test_an_answer_is_kept_for_a_day_and_a_claim_for_a_minute(
    store: IdempotencyStore, stores: Stores
) -> None:
    def longest() -> int:
        return max(stores.durable.ask(lambda s: [s.ttl(key) for key in s.keys()]))  # noqa: SIM118

    store.begin("demo", "r", "k", b"{}")
    claimed = longest()
    store.finish("demo", "r", "k", status=200, body=b"1")

    assert 0 < claimed <= 60
    assert 86_000 < longest() <= 86_400


def test_P47_what_was_answered_about_an_erased_cardholder_is_forgotten_and_he_is_not_named(
    store: IdempotencyStore, stores: Stores
) -> None:
    def keys() -> list[Any]:
        return stores.durable.ask(lambda s: list(s.scan_iter("*idempotency*")))

    for key in ("a", "b"):
        store.begin("demo", "r", key, b"{}", "ch_1")
        store.finish("demo", "r", key, status=201, body=b'{"cardholder_id":"ch_1"}')
    store.begin("demo", "r", "c", b"{}", "ch_2")
    kept = store.answers_of("demo", "ch_1")
    store.forget("demo", "ch_1")

    assert len(kept) == 2
    assert store.answers_of("demo", "ch_1") == []
    assert len(keys()) == 2  # ch_2's claim, and the list that finds it
    assert not any(b"ch_" in key for key in keys())
    assert store.begin("demo", "r", "a", b"{}").begun is Begun.FIRST


def test_P47_a_run_under_way_while_its_cardholder_is_erased_leaves_no_answer(
    store: IdempotencyStore,
) -> None:
    store.begin("demo", "r", "k", b"{}", "ch_1")
    store.forget("demo", "ch_1")
    store.finish("demo", "r", "k", status=201, body=b'{"cardholder_id":"ch_1"}')

    assert store.begin("demo", "r", "k", b"{}").begun is Begun.FIRST


Effect = Callable[[], Response]


class Till:
    """A small application whose one endpoint spends, and counts how often it did."""

    def __init__(self, once: OnceOnly, log: Log, metrics: Metrics) -> None:
        self.spent = 0
        self.effect: Effect = self._spend
        self.app = Flask("till")
        problems.install(self.app, log)
        probes = ProbeWatch(log, metrics, time.monotonic)
        lifecycle.install(self.app, lifecycle.Teller(log, metrics, access_log=False), probes)

        def spend() -> Response:
            return once.run(request, "demo", request.get_data(), self._run)

        self.app.add_url_rule("/spend", "spend", spend, methods=["POST"])

    def _run(self) -> Response:
        return self.effect()

    def _spend(self) -> Response:
        self.spent += 1
        return Response(b'{"spent": %d}' % self.spent, 201, content_type="application/json")

    def ask(self, key: str | None = "k", body: bytes = b"{}") -> tuple[int, bytes, str | None]:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.app.test_client().post("/spend", data=body, headers=headers)
        return answer.status_code, answer.data, answer.headers.get("Idempotency-Replayed")


@pytest.fixture
def till(store: IdempotencyStore, log: Log, metrics: Metrics) -> Till:
    return Till(OnceOnly(store), log, metrics)


def test_f59_a_replay_spends_nothing_and_says_that_it_is_one(till: Till) -> None:
    first, again = till.ask(), till.ask()

    assert first == (201, b'{"spent": 1}', None)
    assert again == (201, b'{"spent": 1}', "true")


def test_f59_another_body_is_422_and_no_key_is_400(till: Till) -> None:
    till.ask()
    statuses = [till.ask(body=b"[]")[0], till.ask(key=None)[0], till.ask(key="a b\x7f")[0]]

    assert statuses == [422, 400, 400]
    assert till.spent == 1


def test_f59_a_refusal_of_the_domain_is_replayed_too(till: Till) -> None:
    def refuse() -> Response:
        raise ConflictError("budget_exhausted", "No budget is left.")

    till.effect = refuse
    first = till.ask()
    till.effect = till._spend
    again = till.ask()

    assert (first[0], again[0], again[2]) == (409, 409, "true")
    assert b"budget_exhausted" in again[1]


def test_a_store_that_was_away_leaves_the_key_free(till: Till) -> None:
    def away() -> Response:
        raise StoreAwayError("profile_store", "timeout")

    till.effect = away
    first = till.ask()
    till.effect = till._spend

    assert first[0] == 503
    assert till.ask()[0] == 201
