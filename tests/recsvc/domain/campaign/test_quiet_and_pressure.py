from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.campaign.pressure import Claim, FrequencyCap, allowed_by_all, granted
from recsvc.domain.campaign.quiet import QuietHours, zone_of
from recsvc.domain.errors import InvalidError

SHANGHAI = ZoneInfo("Asia/Shanghai")
instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(
    ["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
).map(ZoneInfo)
hours = st.builds(
    QuietHours,
    st.times().map(lambda t: time(t.hour, t.minute)),
    st.times().map(lambda t: time(t.hour, t.minute)),
)


def local(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (local(20, 59), False),
        (local(21), True),
        (local(23, 59), True),
        (local(0), True),
        (local(7, 59), True),
        (local(8), False),
        (local(12), False),
    ],
)
def test_nobody_is_disturbed_from_nine_to_eight_by_his_own_clock(at: datetime, quiet: bool) -> None:
    assert QuietHours().silence(at.astimezone(UTC), SHANGHAI) is quiet


def test_the_same_instant_is_quiet_for_one_and_not_for_another() -> None:
    noon_in_shanghai = local(12)

    assert not QuietHours().silence(noon_in_shanghai, SHANGHAI)
    assert QuietHours().silence(noon_in_shanghai, ZoneInfo("Europe/London"))


def test_hours_that_do_not_pass_midnight_and_none_at_all() -> None:
    noon = QuietHours(time(12), time(14))

    assert [noon.cover(time(h)) for h in (11, 12, 13, 14)] == [False, True, True, False]
    assert not any(QuietHours(time(5), time(5)).cover(time(h)) for h in range(24))


@given(instants, zones, hours)
def test_the_next_sending_is_never_quiet_never_past_and_not_needlessly_late(
    at: datetime, zone: ZoneInfo, quiet: QuietHours
) -> None:
    found = quiet.next_sending_at(at, zone)

    assert found >= at
    assert not quiet.silence(found, zone)
    assert found - at <= timedelta(hours=25)
    assert (
        found == at
        or quiet.silence(found - timedelta(minutes=1), zone)
        or found - at < timedelta(minutes=1)
    )


def test_a_push_held_over_the_night_leaves_at_eight() -> None:
    assert QuietHours().next_sending_at(local(22).astimezone(UTC), SHANGHAI) == local(
        8
    ) + timedelta(days=1)
    assert QuietHours().next_sending_at(local(2).astimezone(UTC), SHANGHAI) == local(8)


def test_an_unknown_zone_is_refused_and_none_is_the_default() -> None:
    assert zone_of(None) == SHANGHAI
    with pytest.raises(InvalidError, match="IANA"):
        zone_of("../../etc/passwd")
    with pytest.raises(InvalidError, match="IANA"):
        zone_of("Mars/Base")


def test_a_moving_window_has_no_edge_to_send_twice_around() -> None:
    cap = FrequencyCap(1, "day")
    sent = local(20)

    assert not cap.allows([sent], sent + timedelta(hours=23, minutes=59))
    assert cap.allows([sent], sent + timedelta(hours=24))


@given(
    st.lists(st.integers(0, 60 * 24 * 20), max_size=60),
    st.integers(1, 5),
    st.sampled_from(["day", "week"]),
)
def test_whoever_asks_the_cap_before_each_push_never_exceeds_it(
    minutes: list[int], count: int, period: str
) -> None:
    cap = FrequencyCap(count, "week" if period == "week" else "day")
    sent: list[datetime] = []
    for minute in sorted(minutes):
        at = local(0) + timedelta(minutes=minute)
        if cap.allows(sent, at):
            sent.append(at)

    for end in sent:
        assert sum(end - cap.span < one <= end for one in sent) <= count


def test_all_caps_must_allow() -> None:
    caps = (FrequencyCap(2, "day"), FrequencyCap(3, "week"))
    days = [local(9) + timedelta(days=day) for day in (0, 2, 4)]

    assert allowed_by_all(caps, days[:2], local(10) + timedelta(days=4))
    assert not allowed_by_all(caps, days, local(10) + timedelta(days=5))


def test_room_goes_to_priority_then_fit_then_id() -> None:
    claims = [Claim("b", 1, 0.5), Claim("a", 1, 0.5), Claim("c", 5, 0.1), Claim("d", 1, 0.9)]

    assert [claim.campaign_id for claim in granted(claims, 3)] == ["c", "d", "a"]
    assert granted(claims, 0) == granted(claims, -1) == ()


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_cap_that_caps_nothing_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="frequency_cap"):
        FrequencyCap(count, "day")
