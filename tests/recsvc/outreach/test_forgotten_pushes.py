"""An erased cardholder's pushes on their way: none leaves, none stays, none is sent twice."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from recsvc.domain.campaign.campaign import State
from recsvc.domain.model import ServingModel
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.pushes import PUSH_OUTBOX, PUSHES_DEAD
from recsvc.stores.outreach.outbox import Held, Push
from recsvc.stores.outreach.pushes import Dispatch, Sent
from recsvc.stores.rights.erasure import ErasureStore
from recsvc.stores.rights.export import EXPORTED
from recsvc.stores.rights.finding import Finder
from recsvc.stores.rights.sweeping import Sweeper
from recsvc.workers.forgetting import Forgetting
from tests.outreach import ISSUER, NOON, Town

ERASED = "ch_7"


@pytest.fixture
def town(stores: Stores) -> Town:
    return Town.of(stores, 240)


def erase(town: Town, who: str = ERASED) -> None:
    stores = town.stores
    erasure = ErasureStore(stores.writes, stores.ledger, stores.deny_list, stores.idempotency)
    erasure.erase(ISSUER, who, {"receipt_id": "ers_1"})


def forget(town: Town, folder: Path) -> int:
    """What the archiver's next round does."""
    sweeper = Sweeper(town.stores.durable, town.stores.cache)
    return Forgetting(
        ISSUER, town.stores.deny_list, sweeper, folder / "a", folder / "s", town.clock
    ).round()


def traces(town: Town, who: str = ERASED) -> list[str]:
    return Finder((town.stores.durable,)).keys_with(ISSUER, who)


def queue(town: Town) -> None:
    """A campaign in the outbox; nothing is judged yet."""
    town.launch(holdout_bps=0)
    for campaign in town.outreach.book.follow_issuer(ISSUER).campaigns:
        town.outreach.maker.make(ISSUER, campaign)


def test_P47_no_push_in_the_outbox_names_the_erased_and_the_others_leave_once(
    town: Town, tmp_path: Path
) -> None:
    queue(town)
    erase(town)
    assert any("push_outbox" in key for key in traces(town))

    assert forget(town, tmp_path) == 1

    assert traces(town) == []
    assert town.run() == 239
    assert traces(town) == []
    assert town.reached() == set(town.ids) - {ERASED}


def test_P47_a_batch_that_is_being_judged_while_he_is_taken_out_is_sent_once(
    town: Town, tmp_path: Path
) -> None:
    queue(town)
    working = town.dispatcher("working", idle_seconds=0)
    batches = town.outreach.outbox.take(ISSUER, "working", most=9, idle_seconds=0)
    pushes = [push for batch in batches for push in batch.pushes]
    judged = working._judge.judged(ISSUER, model_of(town), pushes)
    erase(town)
    forget(town, tmp_path)

    working._settle(ISSUER, model_of(town), judged)
    for batch in batches:
        town.outreach.outbox.done(ISSUER, batch)
    town.run()

    ids = [push["push_id"] for push in town.gateway()]
    assert len(ids) == len(set(ids)) == 239
    assert traces(town) == []


def model_of(town: Town) -> ServingModel:
    model = town.slot.current(ISSUER)
    assert model is not None
    return model


def test_P47_pushes_that_wait_for_the_morning_are_taken_out(town: Town, tmp_path: Path) -> None:
    town.clock.now = NOON + timedelta(hours=10)
    town.launch(holdout_bps=0)
    town.run()
    erase(town)
    assert any("pushes_waiting" in key for key in traces(town))

    forget(town, tmp_path)

    assert traces(town) == []
    town.clock.now = NOON + timedelta(hours=20)
    assert town.run() == 239


def test_P47_nothing_of_the_erased_is_held_or_sent_by_who_judged_him_before(town: Town) -> None:
    push = Push("p_1", "c_1", ERASED, "offer_0")
    dispatch = Dispatch(push=push, body=b"{}", channel="push", caps=(), most=None)
    erase(town)

    town.outreach.outbox.hold(ISSUER, [Held(push, NOON)])
    sent = town.outreach.pushes.send(ISSUER, [dispatch], NOON)

    assert sent == [Sent.ERASED]
    assert town.outreach.campaigns.pushes(ISSUER, "c_1") == {"p_1": "erased"}
    assert town.gateway() == []
    assert traces(town) == []


def test_P47_a_paused_campaign_keeps_no_push_of_the_erased(town: Town, tmp_path: Path) -> None:
    live = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, live)
    town.outreach.campaigns.replace(ISSUER, live, live.moved(State.PAUSED, NOON))
    town.run()
    erase(town)

    forget(town, tmp_path)

    assert traces(town) == []


def test_P47_what_nobody_can_read_goes_whole_when_it_may_name_him(
    town: Town, tmp_path: Path
) -> None:
    outbox, dead = PUSH_OUTBOX.key(ISSUER), PUSHES_DEAD.key(ISSUER)
    for who in (ERASED, "ch_70"):
        poison = b'[["p","c","' + who.encode() + b'"]]\xff'
        town.stores.durable.ask(lambda store, p=poison: store.xadd(outbox, {"batch": p}))  # type: ignore[misc]
    town.run()
    erase(town)

    forget(town, tmp_path)

    assert traces(town) == []
    assert town.stores.durable.ask(lambda store: store.xlen(dead)) == 1


def test_P47_who_is_erased_while_a_roster_is_drawn_up_is_not_on_it(
    stores: Stores, tmp_path: Path
) -> None:
    town = Town.of(stores, 240)
    campaign = town.launch(holdout_bps=0)
    before = town.outreach.ground.standings.erased(ISSUER)
    parts = [[(who, "offer_0", True, "all", 0.0) for who in town.ids]]
    erase(town)
    town.outreach.rosters.put(ISSUER, "c_1", parts)  # as it came, without a look

    kept = town.outreach.maker._without_erased(ISSUER, campaign.campaign_id, list(parts), before)

    assert [row[0] for row in kept[0]] == [who for who in town.ids if who != ERASED]
    assert traces(town) == []
    assert forget(town, tmp_path) == 1


def test_P44_pushes_on_their_way_are_exported_to_whom_they_go(town: Town) -> None:
    def told(family: str) -> list[object]:
        found: list[object] = orjson.loads(
            orjson.dumps(
                town.stores.durable.ask(lambda store: EXPORTED[family](store, ISSUER, ERASED))
            )
        )
        return found

    dead = PUSHES_DEAD.key(ISSUER)
    town.stores.durable.ask(lambda store: store.xadd(dead, {"batch": b"{ch_7", "reason": "x"}))
    queue(town)
    in_outbox = told("push_outbox")
    town.clock.now = NOON + timedelta(hours=10)
    town.run()

    push_id = town.outreach.book.push_id(ISSUER, "c_1", ERASED)
    assert in_outbox == told("pushes_waiting") == [[push_id, "c_1", ERASED, "offer_0"]]
    assert told("push_outbox") == []
    assert told("pushes_dead") == ["{ch_7 x"]
