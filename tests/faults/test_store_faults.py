"""Whatever happens to the store, every request is answered in budget and nothing is lost."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bundles import an_offer
from tests.faults.proxy import Mood
from tests.faults.world import (
    BUDGET_SECONDS,
    CITIES,
    WAIT_MS,
    WRITE_BUDGET_SECONDS,
    Timed,
    World,
)
from tests.service import until

LACKS_STORE = ["profile_store"]


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The world, whole before a fault and after it."""
    until(shared.is_whole, 15)
    yield shared
    shared.mend()


def assert_degraded(found: Timed) -> None:
    """Answered in budget, without the store, without personalisation, with a full page."""
    assert found.status == 200
    assert found.seconds < BUDGET_SECONDS
    assert found.json["degraded"] == LACKS_STORE
    assert (found.json["personalised"], found.json["returned"]) == (False, 6)


def assert_refused(found: Timed) -> None:
    """Events are refused in time, to be sent again, and nothing is acknowledged."""
    assert found.status == 503
    assert found.seconds < WRITE_BUDGET_SECONDS
    assert found.answer.headers["Retry-After"]


def assert_bearable(world: World) -> None:
    """Twenty lists and some events while the store is away, then quick refusals."""
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda n: world.recommend(f"ch_{n % 12}"), range(20)):
            assert_degraded(found)
    for _ in range(6):
        assert_refused(world.tell())
    assert max(world.recommend().seconds for _ in range(10)) < BUDGET_SECONDS / 2
    assert world.ask("GET", "/livez").status == world.ask("GET", "/readyz").status == 200


def test_F03_a_stopped_store_is_done_without_and_noticed_when_it_returns(
    world: World,
) -> None:
    world.durable.pause()
    try:
        assert_bearable(world)
    finally:
        world.durable.go_on()

    assert world.recovers() < 10


def test_F02_a_store_that_answers_after_two_seconds_is_left_alone(world: World) -> None:
    world.proxy.turn(Mood.SLOW, 2.0)
    assert_bearable(world)
    world.proxy.turn(Mood.PASSES)

    assert world.recovers() < 10


def test_F02_what_must_reach_the_disk_is_waited_for(world: World) -> None:
    document = an_offer("offer_slow", merchant_id="m_1", state="draft")  # in no list
    consent = {"personalisation": True, "marketing": {"push": True}, "purpose_version": "1"}
    world.proxy.turn(Mood.SLOW, 1.5 * WAIT_MS / 1000)
    written = world.ask("PUT", "/v1/offers/offer_slow", document)
    deleted = world.ask("DELETE", "/v1/offers/offer_slow")
    consented = world.ask("PUT", "/v1/cardholders/ch_1/consent", consent)
    world.proxy.turn(Mood.PASSES)

    assert (written.status, deleted.status, consented.status) == (201, 204, 200)
    assert world.recovers() < 10


def test_F03_a_black_hole_is_done_without(world: World) -> None:
    world.proxy.turn(Mood.SILENT)
    assert_bearable(world)
    world.proxy.turn(Mood.PASSES)

    assert world.recovers() < 10


def test_F01_F07_a_killed_store_loses_no_acknowledged_event(world: World) -> None:
    stop = threading.Event()

    def keep_telling() -> int:
        sent = 0
        while not stop.is_set():
            sent += world.tell(20).status == 200
        return sent

    with ThreadPoolExecutor(3) as pool:
        tellers = [pool.submit(keep_telling) for _ in range(3)]
        try:
            before = len(world.acknowledged)
            until(lambda: len(world.acknowledged) > before + 500)
            world.durable.kill()
            assert_degraded(until(lambda: _degraded(world)))
            world.durable.start()
            took = world.recovers()
            until(lambda: len(world.acknowledged) > before + 1000)
        finally:
            stop.set()  # the pool waits for the tellers, also where a claim above did not hold
        assert sum(teller.result() for teller in tellers) > 0

    counts = Counter(world.stored())
    assert took < 10
    assert world.acknowledged <= set(counts)
    assert set(counts.values()) == {1}


def _degraded(world: World) -> Timed | None:
    found = world.recommend()
    return found if found.json["degraded"] else None


def test_F24_events_sent_again_after_no_answer_count_once(world: World) -> None:
    names = [f"again_{n}" for n in range(50)]
    world.proxy.turn(Mood.SLOW, 1.0)  # taken by the store, the answer comes too late
    assert world.send(names).status == 503
    world.proxy.turn(Mood.PASSES)
    until(lambda: world.send(names).status == 200)

    counts = Counter(world.stored())
    assert [counts[name.replace("_", "-")] for name in names] == [1] * 50


def test_F04_a_full_store_reads_and_refuses_events(world: World) -> None:
    client = world.durable.client()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1mb")
    try:
        found = world.recommend()
        refused = world.tell(5)
        stored = set(world.stored())
        activation = world.server.ask(
            "POST",
            "/v1/cardholders/ch_2/activations",
            {"item_id": "offer_1"},
            key=world.key,
            headers={"Idempotency-Key": "full"},
        )
    finally:
        client.config_set("maxmemory", "0")
        client.close()

    assert (found.status, found.json["personalised"], found.json["degraded"]) == (200, True, [])
    assert_refused(refused)
    assert refused.json["code"] == "store_full"
    assert (activation.status, activation.json["code"]) == (503, "store_full")
    assert world.acknowledged <= stored
    assert world.recovers() < 10
    assert (
        b'recsvc_happenings_total{event="event_store_full"}'
        in world.ask("GET", "/metrics").answer.body
    )


def test_F05_a_read_only_replica_reads_and_refuses_events(world: World) -> None:
    client = world.durable.client()
    client.config_set("replica-serve-stale-data", "yes")
    client.replicaof("127.0.0.1", 1)
    try:
        found, refused = world.recommend(), world.tell()
    finally:
        client.replicaof("NO", "ONE")
        client.close()

    assert (found.status, found.json["personalised"]) == (200, True)
    assert_refused(refused)
    assert world.recovers() < 10


NOT_AUTHORISED = b'event="profile_store_not_authorised"'


def test_F05_a_store_that_wants_a_password_is_told_apart(world: World) -> None:
    client = world.durable.client()
    client.config_set("requirepass", "changed")
    world.proxy.turn(Mood.CLOSED)
    world.proxy.turn(Mood.PASSES)
    try:
        assert_degraded(until(lambda: _degraded(world)))
        told = until(lambda: NOT_AUTHORISED in world.ask("GET", "/metrics").answer.body)
    finally:
        client.config_set("requirepass", "")
        client.close()

    assert told
    assert world.recovers() < 10


def test_F06_an_empty_cache_costs_nothing_but_what_it_kept(world: World) -> None:
    world.cache.kill()
    without = world.recommend()
    world.cache.start(empty=True)

    assert (without.status, without.json["personalised"]) == (200, True)
    assert without.json["degraded"] == []
    assert world.recovers() < 10


def test_F08_a_half_open_connection_never_answers_another_request(world: World) -> None:
    def asks(n: int) -> tuple[str, Timed]:
        one = f"ch_{n % 12}"
        return one, world.ask("GET", f"/v1/cardholders/{one}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(asks, range(48)))
        world.proxy.turn(Mood.SLOW, WAIT_JITTER)
        jittered = list(pool.map(asks, range(48)))
        world.proxy.turn(Mood.HALF_OPEN)
        torn = list(pool.map(asks, range(48)))
        world.proxy.turn(Mood.PASSES)
        # eight at once, so that both workers are asked: each has breakers of its own
        until(lambda: all(one[1].status == 200 for one in pool.map(asks, range(48))), 10)
        after = list(pool.map(asks, range(48)))

    for one, found in (*jittered, *torn, *after):
        assert found.status in (200, 503)
        if found.status == 200:
            assert (found.json["cardholder_id"], found.json["city"]) == (one, CITIES[one])
    assert all(found.status == 200 for _, found in after)


WAIT_JITTER = 0.19
"""About the wait itself, so that some answers come just in time and some just too late."""


def test_F09_more_requests_than_connections_wait_a_little_and_all_are_answered(
    world: World,
) -> None:
    world.proxy.turn(Mood.SLOW, 0.12)
    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda n: world.recommend(f"ch_{n % 12}"), range(120)))
    world.proxy.turn(Mood.PASSES)

    assert {one.status for one in found} == {200}
    assert world.recovers() < 10


def test_P15_consent_that_cannot_be_read_is_no_consent(world: World) -> None:
    world.proxy.turn(Mood.CLOSED)
    found = until(lambda: _degraded(world))

    assert found.json["personalised"] is False
    assert world.recommend("ch_3").json["personalised"] is False


def test_whatever_a_failing_test_leaves_behind_is_mended(shared: World) -> None:
    with shared.durable.client() as client:
        client.config_set("maxmemory", "1mb")
    shared.durable.pause()
    shared.cache.kill()
    shared.proxy.turn(Mood.SILENT)

    shared.mend()

    assert shared.is_whole()


def test_after_all_of_it_every_acknowledged_event_stands_once(shared: World) -> None:
    counts = Counter(shared.stored())

    assert len(shared.acknowledged) > 500
    assert shared.acknowledged <= set(counts)
    assert set(counts.values()) == {1}


def test_F36_and_no_worker_was_lost_or_leaks(shared: World) -> None:
    assert len(shared.server.workers()) == 2
    for pid in shared.server.workers():
        assert len(list(Path(f"/proc/{pid}/fd").iterdir())) < 100
