from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from embeddings.bundle import Bundle
from recsvc.domain.campaign.campaign import Audience, PushBudget, State
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.cardholder import CardholderState, Consent, Profile
from recsvc.domain.errors import RevisionMismatchError
from recsvc.domain.model import ServingModel
from recsvc.stores.assembly import Stores
from recsvc.stores.dead_letters import DeadLetterStore
from recsvc.stores.keys.access import NOTICE
from recsvc.stores.keys.campaigns import CAMPAIGN_ROSTER
from recsvc.stores.keys.pushes import PUSH_OUTBOX, PUSH_TURN, PUSHES_DEAD
from recsvc.stores.outreach.outbox import Push
from recsvc.stores.outreach.pushes import Dispatch, Sent
from recsvc.stores.outreach.rosters import parts_of
from recsvc.stores.people.cardholders import CardholderStore
from recsvc.workers.dispatcher import Dispatcher
from tests.outreach import ALLOWED, ISSUER, NOON, Town
from tests.service import until

EVEN = {f"ch_{i}" for i in range(0, 400, 2)}
OFF = Consent()


@pytest.fixture
def town(stores: Stores) -> Town:
    return Town.of(stores)


def test_a_campaign_reaches_everybody_it_means_once_and_nobody_held_out(town: Town) -> None:
    campaign = town.launch(audience=Audience(size=200), holdout_bps=2_000)

    sent = town.run()

    holdout = town.outreach.book.holdout(ISSUER, campaign)
    held = {who for who in EVEN if holdout.holds(who)}
    assert 20 < len(held) < 60
    assert town.reached() == EVEN - held
    assert sent == len(town.gateway()) == len(EVEN - held)
    assert town.run() == 0


def test_P24_every_push_holds_a_way_out_and_the_terms_of_the_catalogue(town: Town) -> None:
    town.launch(audience=Audience(size=20))

    town.run()

    for push in town.gateway():
        href = f"/v1/cardholders/{push['cardholder_id']}/consent"
        assert push["opt_out"] == {"method": "PUT", "href": href}
        assert push["title"] == {"en": "20 off 100", "zh-CN": "满100减20"}


def test_P24_who_opts_out_between_selection_and_sending_gets_nothing(town: Town) -> None:
    town.launch(holdout_bps=0)
    for campaign in town.outreach.book.follow_issuer(ISSUER).campaigns:
        town.outreach.maker.make(ISSUER, campaign)
    gone = {"ch_0", "ch_2", "ch_4"}
    town.consent(gone, OFF)

    town.run()

    assert town.reached() == set(town.ids) - gone
    told = town.outreach.campaigns.pushes(ISSUER, "c_1")
    assert Counter(v for v in told.values() if not v.isdigit()) == {"no_consent": 3}


def test_P21_an_objection_after_selection_beats_the_consent_that_stands(town: Town) -> None:
    campaign = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, campaign)
    for who in ("ch_0", "ch_2"):
        town.stores.cardholders.put_consent(ISSUER, who, ALLOWED, objects=True)

    town.run()

    assert town.reached() == set(town.ids) - {"ch_0", "ch_2"}
    told = town.outreach.campaigns.pushes(ISSUER, "c_1")
    assert Counter(v for v in told.values() if not v.isdigit()) == {"no_consent": 2}


@pytest.mark.parametrize(
    "withdraws",
    [
        lambda store, who: store.put_consent(ISSUER, who, Consent(purpose_version="v1")),
        lambda store, who: store.put_consent(ISSUER, who, replace(ALLOWED, marketing={})),
        lambda store, who: store.put_consent(
            ISSUER, who, replace(ALLOWED, marketing={"push": False, "sms": True})
        ),
        lambda store, who: store.put_consent(ISSUER, who, replace(ALLOWED, personalisation=False)),
        lambda store, who: store.put_consent(ISSUER, who, ALLOWED, objects=True),
        lambda store, who: store.put_profile(ISSUER, who, Profile(minor=True)),
        lambda store, who: store.put_consent(ISSUER, who, replace(ALLOWED, purpose_version="v0")),
    ],
)
def test_P15_who_withdraws_between_judgement_and_sending_gets_nothing_however_late_it_is_sent(
    town: Town, withdraws: Callable[[CardholderStore, str], object]
) -> None:
    """A dispatcher may be stopped for any time after it has judged."""
    town.stores.durable.ask(lambda store: store.hset(NOTICE.key(ISSUER), "version", "v1"))
    campaign = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, campaign)
    stopped = town.dispatcher("stopped")
    (batch, *_) = town.outreach.outbox.take(ISSUER, "stopped", most=1, idle_seconds=60)
    model = town.slot.current(ISSUER)
    assert model is not None
    judged = stopped._judge.judged(ISSUER, model, batch.pushes)
    who = batch.pushes[0].cardholder_id
    withdraws(town.stores.cardholders, who)

    stopped._settle(ISSUER, model, judged)

    pushed = {push.cardholder_id for push in batch.pushes}
    assert town.reached() == pushed - {who}
    told = town.outreach.campaigns.pushes(ISSUER, "c_1")
    assert told[batch.pushes[0].push_id] == "no_consent"


def test_P21_who_objects_is_in_no_roster_and_in_no_holdout_either(town: Town) -> None:
    objectors = set(town.ids[:40])
    for who in objectors:
        town.stores.cardholders.put_consent(ISSUER, who, ALLOWED, objects=True)
    campaign = town.launch(holdout_bps=5_000)

    town.outreach.maker.make(ISSUER, campaign)

    rosters = town.outreach.rosters.meant(ISSUER, "c_1")
    meant = {one.cardholder_id for part in rosters for one in part}
    assert meant == set(town.ids) - objectors


def test_F26_a_dispatcher_that_dies_after_sending_and_before_it_says_so_sends_once(
    town: Town,
) -> None:
    town.launch(holdout_bps=0)
    dying = town.dispatcher("dying", idle_seconds=0)
    town.outreach.maker.make(ISSUER, town.outreach.book.follow_issuer(ISSUER).campaigns[0])
    batches = town.outreach.outbox.take(ISSUER, "dying", most=2, idle_seconds=0)
    model = town.slot.current(ISSUER)
    assert model is not None
    pushes = [push for batch in batches for push in batch.pushes]
    dying._settle(ISSUER, model, dying._judge.judged(ISSUER, model, pushes))
    already = len(town.gateway())

    town.run(town.dispatcher("heir", idle_seconds=0))

    ids = [push["push_id"] for push in town.gateway()]
    assert already == len(pushes) > 0
    assert len(ids) == len(set(ids)) == 400


def test_F26_a_roster_maker_that_dies_half_way_is_finished_by_the_next_without_doubles(
    town: Town,
) -> None:
    campaign = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, campaign)
    parts = list(town.outreach.rosters.meant(ISSUER, "c_1"))

    again = town.outreach.maker.make(ISSUER, campaign)

    assert sum(map(len, parts)) == 400
    assert again == 0
    town.run()
    assert len(town.gateway()) == 400


def test_of_two_who_draw_up_a_roster_at_once_the_first_holds_for_both_and_all_are_reached(
    town: Town,
) -> None:
    """The second saw fewer who agree, so its parts hold others than those in the outbox."""
    campaign = town.launch(holdout_bps=1_000)
    town.outreach.maker.make(ISSUER, campaign)
    first = list(town.outreach.rosters.meant(ISSUER, "c_1"))
    town.consent(town.ids[:150], OFF)
    second = town.outreach.maker._meant(ISSUER, *model_and_bundle(town), campaign)

    kept = town.outreach.rosters.put(ISSUER, "c_1", parts_of(second))
    town.consent(town.ids[:150], ALLOWED)
    town.run()

    treated = {one.cardholder_id for part in first for one in part if one.treated}
    assert not kept
    assert list(town.outreach.rosters.meant(ISSUER, "c_1")) == first
    assert town.reached() == treated
    assert len(town.gateway()) == len(treated) > 300
    assert town.stores.durable.ask(lambda store: store.keys("*draft*")) == []


def test_a_roster_that_died_half_way_holds_nobody_up(town: Town) -> None:
    campaign = town.launch(holdout_bps=0)
    name = CAMPAIGN_ROSTER.key(ISSUER, "c_1")
    town.stores.durable.ask(lambda store: store.hset(name, "0", b"[]"))

    town.outreach.maker.make(ISSUER, campaign)
    town.run()

    assert len(town.gateway()) == 400
    assert town.stores.durable.ask(lambda store: store.ttl(name)) > 0


def model_and_bundle(town: Town) -> tuple[ServingModel, Bundle]:
    model = town.slot.current(ISSUER)
    assert model is not None
    assert model.bundle is not None
    return model, model.bundle


def test_F27_a_group_that_the_store_lost_is_made_again(town: Town) -> None:
    town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, town.outreach.book.follow_issuer(ISSUER).campaigns[0])
    town.outreach.outbox.take(ISSUER, "one", most=1, idle_seconds=60)
    town.stores.durable.ask(lambda store: store.xgroup_destroy("r1:{demo}:push_outbox", "dispatch"))

    town.run()

    assert len(town.reached()) == 400


def test_F27_entries_that_the_stream_lost_while_they_were_being_judged_stop_nothing(
    town: Town,
) -> None:
    town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, town.outreach.book.follow_issuer(ISSUER).campaigns[0])
    town.outreach.outbox.take(ISSUER, "dead", most=2, idle_seconds=60)
    outbox = PUSH_OUTBOX.key(ISSUER)
    town.stores.durable.ask(lambda store: store.xtrim(outbox, maxlen=2, approximate=False))

    town.run(town.dispatcher("heir", idle_seconds=0))

    ids = [push["push_id"] for push in town.gateway()]
    assert len(ids) == len(set(ids)) > 0


@pytest.mark.parametrize(
    "poison", [b"{", b"[[1, 2]]", b'[["a", "b", "c"]]', b"null", b'[["a", "b", "c", 4]]']
)
def test_F25_a_batch_that_cannot_be_read_is_laid_aside_and_the_others_go_on(
    town: Town, poison: bytes
) -> None:
    outbox = PUSH_OUTBOX.key(ISSUER)
    town.stores.durable.ask(lambda store: store.xadd(outbox, {"batch": poison}))
    town.stores.durable.ask(lambda store: store.xadd(outbox, {"other": poison}))
    town.launch(holdout_bps=0)

    town.run()

    dead = PUSHES_DEAD.key(ISSUER)
    assert len(town.reached()) == 400
    assert town.stores.durable.ask(lambda store: store.xlen(dead)) == 2
    assert town.stores.durable.ask(lambda store: store.xlen(outbox)) == 0
    (told,) = DeadLetterStore(town.stores.durable).of(ISSUER)
    assert (told.queue, told.reason, told.count) == ("pushes", "unreadable", 2)


def test_F28_fifty_parallel_senders_never_overspend_a_budget_or_a_cap(town: Town) -> None:
    campaign = town.launch(holdout_bps=0)
    cap = FrequencyCap(1, "day")
    dispatches = [
        Dispatch(
            push=Push(f"p_{i}", campaign.campaign_id, f"ch_{i % 60}", "offer_0"),
            body=b"{}",
            channel="push",
            caps=(cap,),
            most=40,
        )
        for i in range(200)
    ]
    with ThreadPoolExecutor(50) as threads:
        outcomes = list(
            threads.map(lambda one: town.outreach.pushes.send(ISSUER, [one], NOON)[0], dispatches)
        )

    logs = town.outreach.pushes.logs(ISSUER, [f"ch_{i}" for i in range(60)])
    assert outcomes.count(Sent.SENT) == 40 == len(town.gateway())
    assert max(len(log) for log in logs) == 1


def test_a_cap_counts_over_all_campaigns_and_the_higher_priority_goes_first(town: Town) -> None:
    town.launch(campaign_id="c_low", holdout_bps=0)
    town.launch(campaign_id="c_high", holdout_bps=0, priority=5)

    town.run()

    assert len(town.gateway()) == 400
    assert town.reached("c_high") == set(town.ids)
    assert town.reached("c_low") == set()


def test_of_two_dispatchers_one_sends_at_a_time_so_the_higher_priority_goes_first(
    town: Town,
) -> None:
    """One has taken the batches of the higher priority and is slow; the other must not overtake."""
    town.launch(campaign_id="c_low", holdout_bps=0)
    town.launch(campaign_id="c_high", holdout_bps=0, priority=5)
    slow, quick = town.dispatcher("slow"), town.dispatcher("quick")
    outbox = town.outreach.outbox
    slow._make(ISSUER, town.outreach.book.follow_issuer(ISSUER).campaigns)
    assert outbox.take_turn(ISSUER, "slow")
    batches = outbox.take(ISSUER, "slow", most=2, idle_seconds=60)
    overtaking = quick.look(ISSUER)
    model = town.slot.current(ISSUER)
    assert model is not None
    high = [push for batch in batches for push in batch.pushes]
    slow._settle(ISSUER, model, slow._judge.judged(ISSUER, model, high))
    outbox.end_turn(ISSUER, "slow")
    town.run(quick)

    assert (overtaking.sent, overtaking.waits, overtaking.is_idle) == (0, True, False)
    assert {push.campaign_id for push in high} == {"c_high"}
    assert {push["campaign_id"] for push in town.gateway()} == {"c_high"}
    assert len(town.gateway()) == 400


@dataclass(frozen=True)
class Overslept:
    """States that are told when the asker's turn is over and another has it."""

    town: Town

    def states_of(self, issuer_id: str, cardholder_ids: Sequence[str]) -> Sequence[CardholderState]:
        name = PUSH_TURN.key(issuer_id)
        self.town.stores.durable.ask(lambda store: store.delete(name))
        assert self.town.outreach.outbox.take_turn(issuer_id, "heir")
        return self.town.stores.cardholders.states_of(issuer_id, cardholder_ids)


def test_a_dispatcher_that_slept_through_its_turn_sends_nothing_of_what_it_judged(
    town: Town,
) -> None:
    town.launch(holdout_bps=0)
    asleep = Dispatcher(town.outreach, "asleep", Overslept(town), town.metrics)  # type: ignore[arg-type]

    done = asleep.look(ISSUER)

    assert (done.sent, done.waits) == (0, True)
    assert town.gateway() == []
    town.run(town.dispatcher("heir", idle_seconds=0))
    assert len(town.gateway()) == 400


def test_the_turn_of_a_dispatcher_that_died_ends_by_itself(town: Town) -> None:
    outbox, name = town.outreach.outbox, PUSH_TURN.key(ISSUER)
    assert outbox.take_turn(ISSUER, "dead")
    lasts: Any = town.stores.durable.ask(lambda store: store.pttl(name))
    blocked = outbox.take_turn(ISSUER, "heir")
    town.stores.durable.ask(lambda store: store.pexpire(name, 1))
    until(lambda: outbox.take_turn(ISSUER, "heir"))
    outbox.end_turn(ISSUER, "dead")

    assert 0 < lasts <= 5000
    assert not blocked
    assert not outbox.take_turn(ISSUER, "dead")


def test_in_the_morning_the_higher_priority_wakes_first(stores: Stores) -> None:
    town = Town.of(stores, 1_200)
    town.clock.now = NOON + timedelta(hours=10)
    for campaign_id, priority in (("c_low", 1), ("c_high", 1_000), ("c_none", 0)):
        town.launch(campaign_id=campaign_id, holdout_bps=0, priority=priority)
    assert town.run() == 0

    town.clock.now = NOON + timedelta(hours=20)

    assert town.run() == 1_200
    assert len(town.reached("c_high")) == 1_200


def test_the_outbox_of_many_batches_is_filled_by_priority(stores: Stores) -> None:
    town = Town.of(stores, 3_000)
    town.launch(campaign_id="c_1", holdout_bps=0)
    town.launch(campaign_id="c_2", holdout_bps=0, priority=7)

    town.run()

    assert len(town.reached("c_2")) == 3_000


def test_pushes_wait_over_the_night_and_leave_in_the_morning(town: Town) -> None:
    town.clock.now = NOON + timedelta(hours=10)
    town.launch(holdout_bps=0)

    assert town.run() == 0
    town.clock.now = NOON + timedelta(hours=19, minutes=59)
    assert town.run() == 0
    town.clock.now = NOON + timedelta(hours=20)
    assert town.run() == 400


def test_each_waits_for_his_own_morning(stores: Stores) -> None:
    town = Town.of(stores, issuer_timezones=(("demo", "Europe/London"),))
    east, west = town.ids[:100], town.ids[100:200]
    zones = dict.fromkeys(east, "Asia/Shanghai") | dict.fromkeys(west, "America/New_York")
    stores.cardholders.put_many(
        ISSUER, [(who, Profile(timezone=zone), ALLOWED) for who, zone in zones.items()]
    )
    town.clock.now = datetime(2026, 2, 4, 4, tzinfo=UTC)
    town.launch(holdout_bps=0)

    reached: list[set[str]] = []
    for hour in (4, 8, 13):  # 12:00 in Shanghai, 8:00 in London, 8:00 in New York
        town.clock.now = datetime(2026, 2, 4, hour, tzinfo=UTC)
        town.run()
        reached.append(town.reached() - set().union(*reached))

    assert reached == [set(east), set(town.ids[200:]), set(west)]


def test_whose_whole_window_is_quiet_by_his_own_clock_is_not_meant(stores: Stores) -> None:
    town = Town.of(stores, 40)
    west = town.ids[:10]
    stores.cardholders.put_many(
        ISSUER, [(who, Profile(timezone="America/New_York"), ALLOWED) for who in west]
    )
    ends_at = NOON + timedelta(hours=6)  # noon to 18:00 in Shanghai, 23:00 to 5:00 in New York
    campaign = town.launch(starts_at=NOON, ends_at=ends_at, holdout_bps=0)

    town.outreach.maker.make(ISSUER, campaign)

    rosters = town.outreach.rosters.meant(ISSUER, "c_1")
    assert {one.cardholder_id for part in rosters for one in part} == set(town.ids[10:])


def test_a_paused_campaign_sends_nothing_and_goes_on_when_it_resumes(town: Town) -> None:
    live = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, live)
    paused = live.moved(State.PAUSED, town.clock())
    town.outreach.campaigns.replace(ISSUER, live, paused)
    assert town.run() == 0

    town.outreach.campaigns.replace(ISSUER, paused, paused.moved(State.LIVE, town.clock()))
    town.clock.pass_time(minutes=6)

    assert town.run() == 400


def test_a_cancelled_campaign_sends_nothing_more(town: Town) -> None:
    live = town.launch(holdout_bps=0)
    town.outreach.maker.make(ISSUER, live)
    town.outreach.campaigns.replace(ISSUER, live, live.moved(State.CANCELLED, town.clock()))

    assert town.run() == 0
    assert town.gateway() == []


def test_F28_a_budget_of_pushes_is_never_overspent(town: Town) -> None:
    town.launch(holdout_bps=0, budget=PushBudget(pushes=37))

    town.run()

    assert len(town.gateway()) == 37


def test_items_go_to_those_whom_they_fit_and_each_gets_one(town: Town) -> None:
    town.launch(
        item_ids=("offer_0", "offer_1"),
        holdout_bps=0,
        budget=PushBudget(per_item=150),
        audience=Audience(size=250),
    )

    town.run()

    given = [(push["cardholder_id"], push["item_id"]) for push in town.gateway()]
    by_item = Counter(item for _, item in given)
    assert len({who for who, _ in given}) == len(given) == 250
    assert max(by_item.values()) <= 150
    assert all((who in EVEN) == (item == "offer_0") for who, item in given)


def test_another_issuer_sees_and_sends_nothing(town: Town) -> None:
    town.launch(holdout_bps=0)

    assert town.dispatcher().look("other").is_idle
    assert town.outreach.campaigns.all("other") == []


def test_two_writers_of_one_campaign_do_not_overwrite_one_another(town: Town) -> None:
    live = town.launch()
    town.outreach.campaigns.replace(ISSUER, live, live.moved(State.PAUSED, NOON))

    with pytest.raises(RevisionMismatchError):
        town.outreach.campaigns.replace(ISSUER, live, live.moved(State.CANCELLED, NOON))


def test_a_simulated_week_breaks_no_cap_no_quiet_hour_no_holdout_and_no_budget(
    stores: Stores,
) -> None:
    town = Town.of(stores, 120, pushes_per_day=1, pushes_per_week=3, global_holdout_bps=500)
    monday = datetime(2026, 2, 1, 16, tzinfo=UTC)
    town.clock.now = monday
    plans: list[dict[str, Any]] = [
        {"priority": day % 3, "holdout_bps": 1_000, "budget": PushBudget(pushes=90)}
        for day in range(7)
    ]
    live = []
    for hour in range(7 * 24):
        town.clock.now = monday + timedelta(hours=hour)
        if hour % 24 == 11:
            day = hour // 24
            live.append(town.launch(campaign_id=f"c_{day}", **plans[day]))
        consumer = town.dispatcher(f"d_{hour % 2}", idle_seconds=0)
        if hour % 5 == 0:  # this one dies with its hands full
            town.outreach.outbox.take(ISSUER, "dead", most=1, idle_seconds=0)
        town.run(consumer)
        if hour == 80:
            town.consent([f"ch_{i}" for i in range(30)], OFF)
        if hour == 120:
            town.consent([f"ch_{i}" for i in range(30)], ALLOWED)

    everywhere, zone = town.outreach.book.everywhere(ISSUER), ZoneInfo("Asia/Shanghai")
    per_cardholder: dict[str, list[datetime]] = {}
    for push in town.gateway():
        at = datetime.fromisoformat(push["sent_at"])
        per_cardholder.setdefault(push["cardholder_id"], []).append(at)
        campaign = next(one for one in live if one.campaign_id == push["campaign_id"])
        held = town.outreach.book.holdout(ISSUER, campaign).holds(push["cardholder_id"])
        assert not held
        assert not everywhere.holds(push["cardholder_id"])
        assert 8 <= at.astimezone(zone).hour < 21
    for sent in per_cardholder.values():
        for end in sent:
            assert sum(end - timedelta(days=1) < one <= end for one in sent) <= 1
            assert sum(end - timedelta(days=7) < one <= end for one in sent) <= 3
    assert max(Counter(push["campaign_id"] for push in town.gateway()).values()) <= 90
    assert len(town.gateway()) > 200
    ids = [push["push_id"] for push in town.gateway()]
    assert len(ids) == len(set(ids))


def test_the_campaigns_own_cap_binds_beside_the_issuers(stores: Stores) -> None:
    town = Town.of(stores, 40, pushes_per_day=5, pushes_per_week=20)
    cap = FrequencyCap(1, "week")
    town.launch(campaign_id="c_1", holdout_bps=0)
    town.run()
    town.launch(campaign_id="c_2", holdout_bps=0, frequency_cap=cap)
    town.launch(campaign_id="c_3", holdout_bps=0)

    town.run()

    assert town.reached("c_2") == set()
    assert len(town.reached("c_3")) == 40
