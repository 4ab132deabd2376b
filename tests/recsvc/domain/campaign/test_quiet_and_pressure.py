from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.campaign.pressure import FrequencyCap, allowed_by_all
from recsvc.domain.campaign.quiet import QuietHours

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


def first_by_walking(quiet: QuietHours, at: datetime, zone: ZoneInfo) -> datetime:
    """The same by looking at every minute, which is what the rule means."""
    if not quiet.silence(at, zone):
        return at
    minute = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while quiet.silence(minute, zone):
        minute += timedelta(minutes=1)
    return minute


NEW_YORK = ZoneInfo("America/New_York")
LEAP, RETURN = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
"""Days on which New York's clock goes from 2 to 3, and from 2 back to 1."""
UNTIL_HALF_PAST_ONE = QuietHours(time(22), time(1, 30))
UNTIL_HALF_PAST_TWO = QuietHours(time(22), time(2, 30))


@pytest.mark.parametrize(
    ("quiet", "at", "leaves_at"),
    [
        # 02:30 does not exist: quiet ends with the leap to 03:00
        (UNTIL_HALF_PAST_TWO, LEAP.replace(hour=5), LEAP.replace(hour=7)),
        # 02:01 does not exist, and one minute later it is quiet again: the minute from 03:00 is not
        (QuietHours(time(3, 1), time(2, 1)), LEAP.replace(hour=0), LEAP.replace(hour=7)),
        # 01:00 comes a second time, and quiet begins a minute later: that minute is free
        (QuietHours(time(1, 1), time(0)), RETURN.replace(hour=5, minute=1), RETURN.replace(hour=6)),
        # 01:30 comes twice: quiet ends at the first
        (UNTIL_HALF_PAST_ONE, RETURN.replace(hour=4), RETURN.replace(hour=5, minute=30)),
        # and what is asked between 01:00 and 01:30 of the second time waits for the second
        (
            UNTIL_HALF_PAST_ONE,
            RETURN.replace(hour=6, minute=10),
            RETURN.replace(hour=6, minute=30),
        ),
    ],
)
def test_a_clock_change_at_the_end_of_the_night_neither_wakes_early_nor_lets_wait(
    quiet: QuietHours, at: datetime, leaves_at: datetime
) -> None:
    assert quiet.silence(at, NEW_YORK)

    assert quiet.next_sending_at(at, NEW_YORK) == leaves_at == first_by_walking(quiet, at, NEW_YORK)


changes = st.sampled_from(
    [
        ("America/New_York", LEAP),
        ("America/New_York", RETURN),
        ("Europe/London", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/London", datetime(2026, 10, 25, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ]
)


@settings(max_examples=60)
@given(changes, st.integers(-720, 2_160), hours)
def test_around_every_clock_change_the_end_of_quiet_is_found_as_by_looking_at_each_minute(
    change: tuple[str, datetime], minutes: int, quiet: QuietHours
) -> None:
    name, day = change
    at, zone = day + timedelta(minutes=minutes), ZoneInfo(name)

    assert quiet.next_sending_at(at, zone) == first_by_walking(quiet, at, zone)


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


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_cap_that_caps_nothing_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="frequency_cap"):
        FrequencyCap(count, "day")
