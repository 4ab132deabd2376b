"""Two rankings at once: everyone stays in his arm, and the arms are as large as they should be."""

from collections import Counter

import pytest

from recsvc.domain.experiment import Arm, Experiment, Rankings
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.recommender import Recommender
from recsvc.domain.serve_token import decode
from tests.worlds import KEY, NOW, a_cardholder, a_model, a_question, an_opted_out

A, B = RankingPolicy(name="a"), RankingPolicy(name="b", boost_weight=0.5)
HALVES = Experiment("halves", (Arm(A, 5000), Arm(B, 2500)))


def test_a_cardholder_stays_in_his_arm() -> None:
    assert [HALVES.assign("demo", f"ch_{n}") for n in range(50)] == [
        HALVES.assign("demo", f"ch_{n}") for n in range(50)
    ]


def test_arms_are_as_large_as_their_shares() -> None:
    found = Counter(HALVES.assign("demo", f"ch_{n}") for n in range(4000))

    assert 1850 < found[A] < 2150
    assert 870 < found[B] < 1130
    assert 870 < found[None] < 1130


def test_two_experiments_divide_independently() -> None:
    other = Experiment("other", HALVES.arms)
    both = Counter(
        (HALVES.assign("demo", f"ch_{n}") is A, other.assign("demo", f"ch_{n}") is A)
        for n in range(4000)
    )

    assert all(850 < count < 1150 for count in both.values())


def test_the_answer_and_its_tokens_name_the_ranking() -> None:
    recommender = Recommender(KEY, Rankings(RankingPolicy(), Experiment("x", (Arm(B, 10_000),))))

    answer = recommender.answer(a_model(), a_cardholder(), a_question(), NOW)

    assert (answer.ranking, answer.experiment) == ("b", "x")
    tokens = [decode(s.serve_token, KEY, "demo", "ch_2") for s in answer.items]
    assert {token.ranking for token in tokens} == {"b"}
    assert [token.rank for token in tokens] == [1, 2, 3, 4, 5, 6]


def test_an_issuer_with_rankings_of_its_own_is_in_no_other_issuers_experiment() -> None:
    everyone = Rankings(RankingPolicy(), Experiment("x", (Arm(B, 10_000),)), {"demo": Rankings(A)})
    apart = Rankings(RankingPolicy(), None, {"other": Rankings(A)})

    for rankings, expected in ((everyone, ("a", None)), (apart, ("default", None))):
        recommender = Recommender(KEY, rankings)
        for state in (a_cardholder(), an_opted_out()):
            answer = recommender.answer(a_model(), state, a_question(), NOW)
            assert (answer.ranking, answer.experiment) == expected
    assert everyone.of("other", "ch_1") is B
    with pytest.raises(ValueError, match="cannot hold those of another"):
        Rankings(A, None, {"demo": everyone})


def test_those_not_personalised_are_in_no_experiment() -> None:
    recommender = Recommender(KEY, Rankings(RankingPolicy(), Experiment("x", (Arm(B, 10_000),))))

    answer = recommender.answer(a_model(), an_opted_out(), a_question(), NOW)

    assert (answer.ranking, answer.experiment) == ("default", None)


def test_an_experiment_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 10000"):
        Experiment("x", (Arm(A, 6000), Arm(B, 5000)))
    with pytest.raises(ValueError, match="one name"):
        Experiment("x", (Arm(A, 100), Arm(A, 100)))
    with pytest.raises(ValueError, match="share_bps"):
        Arm(A, 0)


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16"):
        Recommender(b"short")
