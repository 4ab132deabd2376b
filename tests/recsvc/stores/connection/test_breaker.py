"""The breaker against a clock that the test turns."""

from recsvc.stores.connection.breaker import Breaker


class Turning:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def tripped() -> tuple[Breaker, Turning]:
    clock = Turning()
    breaker = Breaker(clock)
    for _ in range(5):
        breaker.failed()
    return breaker, clock


def test_four_failures_do_not_open_it() -> None:
    breaker = Breaker(Turning())
    for _ in range(4):
        breaker.failed()

    assert breaker.allows()
    assert breaker.allows()  # it was no probe


def test_the_fifth_failure_within_ten_seconds_opens_it() -> None:
    breaker, _ = tripped()

    assert not breaker.allows()


def test_failures_spread_over_more_than_ten_seconds_do_not_open_it() -> None:
    clock = Turning()
    breaker = Breaker(clock)
    for _ in range(8):
        breaker.failed()
        clock.now += 2.6

    assert breaker.allows()


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(Turning())
    for _ in range(20):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()

    assert breaker.allows()


def test_after_five_seconds_exactly_one_probe_goes_through() -> None:
    breaker, clock = tripped()
    clock.now += 4.99
    before = breaker.allows()
    clock.now += 0.01

    assert not before
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_good_probe_closes_it_and_the_next_pause_is_short_again() -> None:
    breaker, clock = tripped()
    clock.now += 5
    breaker.allows()
    breaker.succeeded()
    for _ in range(5):
        breaker.failed()
    clock.now += 5

    assert breaker.allows()


def test_each_bad_probe_doubles_the_pause_up_to_a_minute() -> None:
    breaker, clock = tripped()
    pauses = []
    for _ in range(6):
        waited = 0
        while not breaker.allows():
            clock.now += 1
            waited += 1
        pauses.append(waited)
        breaker.failed()

    assert pauses == [5, 10, 20, 40, 60, 60]


def test_a_probe_that_had_no_time_left_leaves_the_probe_to_the_next_call() -> None:
    breaker, clock = tripped()
    clock.now += 5.0
    assert breaker.allows()
    assert not breaker.allows()
    breaker.gave_up()

    assert breaker.allows()
    assert not breaker.allows()  # it was the one probe
