import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.audience.disclosure import (
    Answer,
    Disclosed,
    Withheld,
    disclose,
    distance,
    rounded,
    safe_count,
    sketch_of,
)

HASHES = np.random.default_rng(3).integers(0, 2**64, 5_000, np.uint64, endpoint=False)
People = frozenset[int]


class Book:
    """Asks and remembers, as the service does."""

    def __init__(self, minimum: int, most: int = 1_000) -> None:
        self.minimum = minimum
        self.most = most
        self.asked: list[tuple[People, Answer]] = []
        self._earlier: list[Disclosed] = []

    def ask(self, people: People) -> Answer:
        sketch = sketch_of(HASHES[sorted(people)])
        room = len(self._earlier) < self.most
        answer = disclose(len(people), sketch, self._earlier, minimum=self.minimum, has_room=room)
        if room:
            self._earlier.append(Disclosed(sketch, answer))
        self.asked.append((people, answer))
        return answer


def test_F60_two_audiences_that_differ_by_one_person_cannot_be_told_apart() -> None:
    for size in range(45, 160):
        for one, other in ((size, size + 1), (size + 1, size)):
            book = Book(50)

            first, second = book.ask(frozenset(range(one))), book.ask(frozenset(range(other)))

            assert first == second, f"{one} and {other} people were told apart"


def test_F60_rounding_alone_would_tell_them_apart() -> None:
    assert rounded(99, 50) != rounded(100, 50)


people = st.tuples(st.integers(0, 400), st.frozensets(st.integers(0, 420), max_size=4)).map(
    lambda made: frozenset(range(made[0])) ^ made[1]
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(people, min_size=2, max_size=30),
    st.sampled_from([2, 10, 50]),
    st.sampled_from([3, 1_000]),
)
def test_F60_no_probing_gets_two_numbers_for_audiences_nearer_than_the_minimum(
    probes: list[People], minimum: int, most: int
) -> None:
    book = Book(minimum, most)
    for probe in probes:
        book.ask(probe)

    numbers = [(who, answer) for who, answer in book.asked if isinstance(answer, int)]
    for who, answer in numbers:
        for others, told in numbers:
            near = distance(sketch_of(HASHES[sorted(who)]), sketch_of(HASHES[sorted(others)]))
            assert near >= minimum or answer == told


@settings(max_examples=50, deadline=None)
@given(people, st.integers(0, 4_000))
def test_the_sketch_sees_one_person_as_exactly_one(who: People, person: int) -> None:
    other = who ^ {person}

    assert distance(sketch_of(HASHES[sorted(who)]), sketch_of(HASHES[sorted(other)])) == 1


@pytest.mark.parametrize("apart", [10, 50, 200, 1_000])
def test_the_sketch_measures_how_many_people_differ(apart: int) -> None:
    chance = np.random.default_rng(8)
    found = []
    for _ in range(50):
        chosen = chance.permutation(HASHES.size)[: 2_000 + apart]
        found.append(distance(sketch_of(HASHES[chosen]), sketch_of(HASHES[chosen[apart:]])))

    assert abs(np.mean(found) - apart) < 4 * apart * np.sqrt(2 / 1_024 / 50) + 0.5


def test_sketches_of_parts_add_up_so_members_can_be_masked() -> None:
    half = np.arange(HASHES.size) % 2 == 0

    both = sketch_of(HASHES, half) + sketch_of(HASHES, ~half)

    assert both.tolist() == sketch_of(HASHES).tolist()


@given(st.integers(0, 10**8), st.integers(2, 1_000))
def test_a_rounded_count_never_overstates_and_is_a_multiple_of_the_minimum(
    count: int, minimum: int
) -> None:
    told = rounded(count, minimum)

    assert told <= count
    assert told % minimum == 0
    assert count - told <= max(minimum, count / 10 + minimum)


def test_an_audience_below_the_minimum_has_no_number() -> None:
    sketch = sketch_of(HASHES[:49])

    assert disclose(49, sketch, ()) is Withheld.BELOW_MINIMUM
    assert disclose(499, sketch_of(HASHES[:499]), (), minimum=500) is Withheld.BELOW_MINIMUM
    assert disclose(50, sketch_of(HASHES[:50]), ()) == 50


def test_F60_without_room_to_remember_only_the_same_audience_is_answered() -> None:
    known = [Disclosed(sketch_of(HASHES[:100]), 100)]

    for size, answer in ((100, 100), (101, Withheld.TOO_MANY), (900, Withheld.TOO_MANY)):
        assert disclose(size, sketch_of(HASHES[:size]), known, has_room=False) == answer


def test_what_is_reckoned_with_is_never_more_than_could_be_told() -> None:
    assert safe_count(250, (), 270, 50) == 250
    assert safe_count(Withheld.TOO_CLOSE, (550, 500), 549, 50) == 500
    assert safe_count(Withheld.TOO_CLOSE, (500, Withheld.BELOW_MINIMUM), 549, 50) == 0
    assert safe_count(Withheld.BELOW_MINIMUM, (), 49, 50) == 0
    assert safe_count(Withheld.TOO_MANY, (), 549, 50) == 500


def test_contradicting_neighbours_withhold_the_answer() -> None:
    sketch = sketch_of(HASHES[:60])
    earlier = [Disclosed(sketch_of(HASHES[:59]), 50), Disclosed(sketch_of(HASHES[:61]), 100)]

    assert disclose(60, sketch, earlier) is Withheld.TOO_CLOSE


def test_a_minimum_that_protects_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="minimum"):
        disclose(5, sketch_of(HASHES[:5]), (), minimum=1)
