"""Who has how many connections, and how many of them belong to others."""

from hypothesis import given
from hypothesis import strategies as st

from recsvc.server.fair_share import HEARD_SECONDS, PLACES, FairShare

NOW = 1000.0


def told(*n_connections: int, has_room: bool = True) -> FairShare:
    share = FairShare()
    for age, n in enumerate(n_connections):
        share.tell(age, n, has_room=has_room, now=NOW)
    return share


def test_the_fewest_is_of_those_who_told() -> None:
    assert told(7, 3, 5).fewest(NOW) == 3
    assert told(7, 0, 5).fewest(NOW) == 0
    assert told().fewest(NOW) == 0


def test_who_left_is_not_counted() -> None:
    share = told(7, 3)
    share.leave(1)

    assert share.fewest(NOW) == 7
    assert share.surplus(0, 100, NOW) == 0


def test_who_was_not_heard_of_for_long_is_not_counted() -> None:
    share = told(7, 3)
    later = NOW + HEARD_SECONDS
    share.tell(0, 7, has_room=True, now=later)

    assert share.fewest(later) == 7
    assert share.surplus(0, 100, later) == 0


def test_a_worker_that_follows_another_has_a_place_of_its_own() -> None:
    share = told(4)
    share.tell(PLACES - 1, 2, has_room=True, now=NOW)
    share.tell(PLACES, 9, has_room=True, now=NOW)  # whose age has come round to the first place

    assert share.fewest(NOW) == 2
    share.leave(PLACES - 1)
    assert share.fewest(NOW) == 9


def test_nothing_is_given_to_who_has_no_room() -> None:
    assert told(0, 0, has_room=True).surplus(0, 32, NOW) == 8
    assert told(0, 0, has_room=False).surplus(0, 32, NOW) == 0


def test_a_small_difference_is_left_as_it_is() -> None:
    assert told(0, 2).surplus(0, 6, NOW) == 0
    assert told(0, 80).surplus(0, 120, NOW) == 0
    assert told(0, 40).surplus(0, 120, NOW) == 20


@given(st.lists(st.integers(0, 300), min_size=1, max_size=9))
def test_giving_comes_to_rest_near_the_mean_and_loses_no_connection(counts: list[int]) -> None:
    total, mean = sum(counts), sum(counts) / len(counts)
    for _ in range(30):
        share = told(*counts)
        given_up = [share.surplus(age, n, NOW) for age, n in enumerate(counts)]
        counts = [n - gone for n, gone in zip(counts, given_up, strict=True)]
        for _ in range(sum(given_up)):  # who was sent away comes to who has the fewest
            counts[counts.index(min(counts))] += 1

    assert not any(given_up)
    assert sum(counts) == total
    assert max(counts) - mean <= max(2, mean / 4)
