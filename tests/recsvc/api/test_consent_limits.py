"""What no consent reaches: children without their guardian, and whoever objects to marketing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.cardholder import Consent, Profile
from recsvc.stores import codec
from recsvc.stores.assembly import Stores
from recsvc.stores.outreach.rosters import Meant
from recsvc.stores.people.standings import StandingStore
from tests.bundles import an_offer, publish
from tests.outreach import Town
from tests.service import Service

ONE = "/v1/cardholders/ch_0"
CONSENT: dict[str, Any] = {
    "personalisation": True,
    "marketing": {"push": True},
    "purpose_version": "1",
}


@pytest.fixture
def live(service: Service) -> Service:
    """The checkerboard issuer; its cardholder ch_0 consents."""
    for m in range(6):
        offer = an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc="5812" if m % 2 == 0 else "5411")
        service.ask("PUT", f"/v1/offers/offer_{m}", offer)
    publish(service.shelf())
    service.look()
    return service


@pytest.fixture
def town(stores: Stores) -> Town:
    return Town.of(stores)


def consents(service: Service, **changes: Any) -> dict[str, Any]:
    answer = service.ask("PUT", f"{ONE}/consent", {**CONSENT, **changes})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def personalised(service: Service) -> bool:
    return bool(service.ask("GET", f"{ONE}/recommendations").json["personalised"])


def may_be_pushed(service: Service) -> bool:
    standings = StandingStore(service.stores.durable, service.stores.deny_list)
    return bool(standings.read("demo", ["ch_0"], "push").consents[0])


def told(service: Service) -> tuple[bool, bool]:
    return personalised(service), may_be_pushed(service)


def test_P31_a_childs_own_consent_does_not_count_and_its_guardians_does(live: Service) -> None:
    consents(live)
    before = told(live)
    live.ask("PUT", ONE, {"minor": True})
    as_child = told(live)
    shown = live.ask("GET", f"{ONE}/consent").json
    consents(live, guardian=True)

    assert before == (True, True)
    assert as_child == (False, False)
    assert (shown["personalisation"], shown["marketing"]) == (False, {})
    assert live.ask("GET", ONE).json["minor"] is True
    assert told(live) == (True, True)


def test_P31_a_profile_that_does_not_say_leaves_a_child_a_child(live: Service) -> None:
    consents(live)
    live.ask("PUT", ONE, {"minor": True})
    moved = live.ask("PUT", ONE, {"city": "Suzhou"})
    as_child = told(live)
    grown = live.ask("PUT", ONE, {"city": "Suzhou", "minor": False})

    assert (moved.json["minor"], moved.json["city"]) == (True, "Suzhou")
    assert as_child == (False, False)
    assert grown.json["minor"] is False
    assert told(live) == (True, True)


def test_P31_an_imported_profile_that_does_not_say_leaves_a_child_a_child(live: Service) -> None:
    store = live.stores.cardholders
    store.put_profile("demo", "child", Profile(minor=True))
    silent, telling = Profile(city="a", minor=None), Profile(city="b", minor=False)

    store.put_many("demo", [("child", silent, None), ("new", silent, None)])
    after_silence = [one.profile for one in store.states_of("demo", ["child", "new"])]
    store.put_many("demo", [("child", telling, None)])

    assert after_silence == [Profile(city="a", minor=True), Profile(city="a")]
    assert store.state_of("demo", "child").profile == telling


def test_P15_an_older_consent_undoes_no_newer_withdrawal_and_is_refused(live: Service) -> None:
    consents(live, personalisation=False, marketing={}, recorded_at="2026-01-31T11:00:00Z")
    older = live.ask("PUT", f"{ONE}/consent", {**CONSENT, "recorded_at": "2026-01-31T10:59:59.9Z"})
    after = told(live)
    same = live.ask("PUT", f"{ONE}/consent", {**CONSENT, "recorded_at": "2026-01-31T11:00:00Z"})

    assert (older.status_code, older.json["code"]) == (409, "newer_consent")
    assert after == (False, False)
    assert same.status_code == 200
    assert told(live) == (True, True)


def test_P15_a_withdrawal_counts_whenever_it_was_recorded(live: Service) -> None:
    """A phone whose clock is slow must not be refused; nor one whose clock was fast before."""
    consents(live, recorded_at="2026-01-31T12:04:00Z")
    nothing = {"personalisation": False, "marketing": {"push": False}}
    consents(live, **nothing, recorded_at="2026-01-31T11:00:00Z")
    after = told(live)
    consents(live, recorded_at="2026-01-31T12:04:00Z")
    consents(live, **nothing)

    assert after == (False, False)
    assert told(live) == (False, False)


def test_P21_an_older_withdrawal_ends_no_objection(live: Service) -> None:
    consents(live, objection=True)
    nothing = {"personalisation": False, "marketing": {}, "recorded_at": "2026-01-31T11:00:00Z"}
    ends = live.ask("PUT", f"{ONE}/consent", {**CONSENT, **nothing, "objection": False})

    assert ends.status_code == 409
    assert live.ask("GET", f"{ONE}/consent").json["objection"] is True


def test_P21_an_objection_beats_every_consent_and_stands_until_it_is_taken_back(
    live: Service,
) -> None:
    objecting = consents(live, objection=True)
    first = told(live)
    again = consents(live)  # a consent given later at another counter says nothing of it
    second = told(live)
    back = consents(live, objection=False)

    assert (objecting["objection"], again["objection"], back["objection"]) == (True, True, False)
    assert (first, second) == ((False, False), (False, False))
    assert live.ask("GET", f"{ONE}/consent").json["personalisation"] is True
    assert told(live) == (True, True)


def test_P21_an_objection_needs_no_consent_and_is_told_in_the_export(live: Service) -> None:
    refusal = {"personalisation": False, "marketing": {}, "objection": True}
    consents(live, **refusal)
    export = live.ask("GET", f"{ONE}/data-export").json

    assert live.ask("GET", f"{ONE}/consent").json["objection"] is True
    assert export["stores"]["cardholder"]["objects_to_marketing"] is True


def test_P21_a_push_that_waits_does_not_leave_once_he_objects(town: Town) -> None:
    town.launch()
    dispatcher = town.dispatcher()
    store = town.stores.cardholders
    consent = Consent(True, {"push": True}, "1", datetime(2026, 1, 1, tzinfo=UTC))
    roster = [one for part in made(town, dispatcher) for one in part if one.treated]
    objector, child, other = (one.cardholder_id for one in roster[:3])
    store.put_consent("demo", objector, consent, objects=True)
    store.put_profile("demo", child, Profile(minor=True))
    town.run(dispatcher)

    assert other in town.reached()
    assert not town.reached() & {objector, child}


def made(town: Town, dispatcher: Any) -> list[list[Meant]]:
    """The roster, drawn up and queued, nothing sent yet."""
    (campaign,) = town.outreach.campaigns.all("demo")
    dispatcher._maker.make("demo", campaign)
    return list(town.outreach.rosters.meant("demo", campaign.campaign_id))


CONSENTS = st.builds(
    Consent,
    st.booleans(),
    st.dictionaries(st.sampled_from(["push", "sms"]), st.booleans()),
    st.sampled_from([None, "1", "2"]),
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    st.booleans(),
    st.booleans(),
)
TEXTS = st.sampled_from(["", 'x"minor":true', "上海"])


@given(CONSENTS, st.booleans(), TEXTS, st.sampled_from([None, "1", "2"]))
def test_the_quick_reading_of_stored_bytes_agrees_with_the_rule(
    consent: Consent, minor: bool, city: str, notice: str | None
) -> None:
    profile = Profile(city=city, minor=minor)
    raw = codec.encode_profile(profile)
    objection = codec.encode_objection(objects=consent.objection)
    stored = codec.encode_consent(consent)
    ruled = consent.in_force(notice, minor=minor)

    assert codec.decode_profile(raw) == profile
    assert codec.decode_consent(stored, objection) == consent
    quick = codec.allows(raw, stored, objection, ("push", notice))
    assert quick == (ruled.personalisation and ruled.marketing.get("push", False))
