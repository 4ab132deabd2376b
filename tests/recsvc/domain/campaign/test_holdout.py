import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.campaign.holdout import EVERY_CAMPAIGN, Holdout, is_held_out

IDS = [f"ch_{i}" for i in range(20_000)]


def a_holdout(share_bps: int = 1_000, campaign_id: str = "c_1", key: bytes = b"k") -> Holdout:
    return Holdout(key, campaign_id, share_bps)


@given(st.text(min_size=1, max_size=20), st.integers(0, 5_000))
def test_a_cardholder_always_falls_on_the_same_side(cardholder_id: str, share_bps: int) -> None:
    one, other = a_holdout(share_bps), a_holdout(share_bps)

    assert one.holds(cardholder_id) is other.holds(cardholder_id)
    assert one.holds_each([cardholder_id]).tolist() == [one.holds(cardholder_id)]


@given(st.text(min_size=1, max_size=20), st.integers(0, 4_000), st.integers(0, 1_000))
def test_raising_the_share_only_adds_cardholders(who: str, share_bps: int, more: int) -> None:
    assert a_holdout(share_bps + more).holds(who) >= a_holdout(share_bps).holds(who)


@pytest.mark.parametrize("share_bps", [0, 100, 1_000, 5_000])
def test_the_share_held_out_is_the_share_asked_for(share_bps: int) -> None:
    held = int(a_holdout(share_bps).holds_each(IDS).sum())

    expected, spread = len(IDS) * share_bps / 10_000, np.sqrt(len(IDS) * 0.25)
    assert abs(held - expected) <= 4 * spread * (share_bps > 0)


def test_two_campaigns_hold_out_independently() -> None:
    one, other = a_holdout(2_000).holds_each(IDS), a_holdout(2_000, "c_2").holds_each(IDS)

    assert abs(float(np.mean(one & other)) - 0.04) < 0.006


def test_another_issuers_key_holds_out_others() -> None:
    one, other = a_holdout(2_000).holds_each(IDS), a_holdout(2_000, key=b"j").holds_each(IDS)

    assert abs(float(np.mean(one & other)) - 0.04) < 0.006


def test_the_global_holdout_keeps_its_cardholders_out_of_every_campaign() -> None:
    everywhere = a_holdout(500, EVERY_CAMPAIGN)
    held = [who for who in IDS if everywhere.holds(who)][:20]

    assert held
    for campaign in ("c_1", "c_2", "c_3"):
        assert all(is_held_out(who, (a_holdout(0, campaign), everywhere)) for who in held)


@pytest.mark.parametrize(
    ("share_bps", "key"), [(-1, b"k"), (5_001, b"k"), (1, b""), (1, b"k" * 65)]
)
def test_a_holdout_that_cannot_be_is_refused(share_bps: int, key: bytes) -> None:
    with pytest.raises(ValueError, match="must be"):
        Holdout(key, "c", share_bps)
