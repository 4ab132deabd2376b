from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.campaign.campaign import State
from recsvc.domain.campaign.holdout import EVERY_CAMPAIGN, Holdout
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.campaign.sending import PAUSE, Addressee, Policy, Refusal, Verdict, judge
from recsvc.domain.cardholder import Consent
from tests.recsvc.domain.campaign.worlds import NOON, a_campaign

NONE_HELD = Holdout(b"k", "c_1", 0)
LIVE = a_campaign().launched(NOON)
POLICY = Policy(purpose_version="v3", caps=(FrequencyCap(2, "day"),))
WILLING = Addressee(
    "ch_1",
    Consent(personalisation=True, marketing={"push": True}, purpose_version="v3"),
    ZoneInfo("Asia/Shanghai"),
)


def verdict(at: datetime = NOON, campaign: Any = LIVE, **changes: Any) -> Verdict:
    return judge(campaign, NONE_HELD, POLICY, replace(WILLING, **changes), at)


def test_a_push_that_everything_allows_leaves() -> None:
    assert verdict() == Verdict()


@pytest.mark.parametrize(
    "consent",
    [
        Consent(),
        Consent(personalisation=True, purpose_version="v3"),
        Consent(marketing={"push": True}, purpose_version="v3"),
        Consent(personalisation=True, marketing={"email": True, "push": False}),
    ],
)
def test_P24_a_cardholder_who_opted_out_after_selection_gets_nothing(consent: Consent) -> None:
    assert verdict(consent=consent) == Verdict(Refusal.NO_CONSENT)


def test_P14_consent_to_an_earlier_purpose_no_longer_counts() -> None:
    old = replace(WILLING.consent, purpose_version="v2")

    assert verdict(consent=old) == Verdict(Refusal.OUTDATED_CONSENT)


def test_an_erased_or_no_longer_eligible_cardholder_gets_nothing() -> None:
    assert verdict(erased=True) == Verdict(Refusal.ERASED)
    assert verdict(eligible=False) == Verdict(Refusal.NOT_ELIGIBLE)


def test_a_cap_used_up_by_other_campaigns_since_selection_refuses() -> None:
    sent = [NOON - timedelta(hours=5), NOON - timedelta(hours=1)]

    assert verdict(sent_at=sent) == Verdict(Refusal.FREQUENCY_CAP)
    assert verdict(sent_at=sent[:1]) == Verdict()


def test_the_campaigns_own_cap_is_asked_beside_the_issuers() -> None:
    once = replace(LIVE, frequency_cap=FrequencyCap(1, "month"))

    assert verdict(campaign=once, sent_at=[NOON - timedelta(days=20)]) == Verdict(
        Refusal.FREQUENCY_CAP
    )


def test_a_push_in_quiet_hours_waits_for_the_morning_of_the_cardholder() -> None:
    late = NOON + timedelta(hours=10)

    assert verdict(late) == Verdict(Refusal.QUIET_HOURS, NOON + timedelta(hours=20))


def test_a_push_whose_morning_comes_after_the_campaign_never_leaves() -> None:
    last_night = LIVE.ends_at - timedelta(hours=9)
    overnight = replace(LIVE, ends_at=last_night + timedelta(hours=2))

    assert verdict(last_night, campaign=overnight) == Verdict(Refusal.QUIET_HOURS)


def test_a_push_of_a_paused_campaign_waits_and_is_not_lost() -> None:
    paused = LIVE.moved(State.PAUSED, NOON)

    assert verdict(campaign=paused) == Verdict(Refusal.CAMPAIGN_NOT_LIVE, NOON + PAUSE)
    assert verdict(campaign=paused, erased=True) == Verdict(Refusal.ERASED)
    assert verdict(LIVE.ends_at, campaign=paused) == Verdict(Refusal.CAMPAIGN_NOT_LIVE)


@pytest.mark.parametrize("state", [State.CANCELLED, State.ENDED])
def test_nothing_leaves_for_a_campaign_that_was_stopped(state: State) -> None:
    assert verdict(campaign=LIVE.moved(state, NOON)) == Verdict(Refusal.CAMPAIGN_NOT_LIVE)


def test_nobody_in_a_holdout_is_reached_whatever_else_allows_it() -> None:
    campaign_holdout, everywhere = Holdout(b"k", "c_1", 2_000), Holdout(b"k", EVERY_CAMPAIGN, 500)
    policy = replace(POLICY, holdouts=(everywhere,))

    for number in range(500):
        who = replace(WILLING, cardholder_id=f"ch_{number}")
        held = campaign_holdout.holds(who.cardholder_id) or everywhere.holds(who.cardholder_id)
        expected = Refusal.HOLDOUT if held else None
        assert judge(LIVE, campaign_holdout, policy, who, NOON).refusal is expected


@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 4),
    st.integers(0, 24 * 60),
)
def test_a_push_leaves_only_when_every_rule_holds(
    personal: bool, marketing: bool, erased: bool, eligible: bool, sent: int, minute: int
) -> None:
    at = NOON + timedelta(minutes=minute)
    consent = Consent(personal, {"push": marketing}, "v3")

    found = verdict(at, consent=consent, erased=erased, eligible=eligible, sent_at=[at] * sent)

    local = at.astimezone(WILLING.zone)
    awake = 8 <= local.hour < 21
    everything = personal and marketing and not erased and eligible and sent < 2 and awake
    assert (found.refusal is None) is everything
