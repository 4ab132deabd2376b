"""From candidates to a list: caps, promoted places, boosts, chance."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.candidates import Personal, Proposer, Sources, best_rows, in_turn
from recsvc.domain.candidates.alike import Similar
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.chance import draw
from recsvc.domain.eligibility import Eligible
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.question import Answer, Candidate, Source
from recsvc.domain.ranking import interleaved, ranked
from recsvc.domain.taste import taste_of, unknown_taste
from tests.bundles import an_offer
from tests.worlds import NOW, a_cardholder, a_model, a_question, a_recommender, an_untrained_model

MODEL = a_model(
    *(
        an_offer(
            f"offer_{n:02d}",
            merchant_id=f"m_{n % 6}",
            mcc="5812" if n % 2 == 0 else "5411",
            category=f"kind_{n % 3}",
            priority=(n * 37) % 1000,
            terms={"exclusive_group": f"g_{n % 7}"} if n % 4 == 0 else {},
        )
        for n in range(24)
    )
)


def ids(answer: Answer) -> list[str]:
    return [served.item.item_id for served in answer.items]


def ask(model: ServingModel, state: CardholderState, **changes: Any) -> Answer:
    policy = changes.pop("policy", {})
    question = a_question(state.cardholder_id, **changes)
    return a_recommender(**policy).answer(model, state, question, NOW)


@given(
    eligible=st.lists(st.booleans(), min_size=24, max_size=24),
    limit=st.integers(1, 24),
    per_merchant=st.sampled_from([None, 1, 2]),
    per_category=st.sampled_from([None, 1, 4]),
    boost=st.sampled_from([0.0, 0.3]),
    visits=st.sampled_from([0.0, 0.5]),
)
@settings(max_examples=150, deadline=None)
def test_a_list_is_a_full_sort_walked_under_the_caps(
    eligible: list[bool],
    limit: int,
    per_merchant: int | None,
    per_category: int | None,
    boost: float,
    visits: float,
) -> None:
    policy = RankingPolicy(
        boost_weight=boost,
        visit_weight=visits,
        max_per_merchant=per_merchant,
        max_per_category=per_category,
        relax_caps=False,
        promoted_positions=(),
    )
    personal = Personal(MODEL, taste_of(MODEL, a_cardholder("ch_3")), policy)
    mask = np.array(eligible)

    sources = Alone(personal)

    found, _ = ranked(MODEL, policy, Eligible.of(mask), sources, limit)

    assert [c.row for c in found] == walked(personal, mask, policy, limit)


class Alone(Sources):
    """A cardholder's own source, and none behind it."""

    def __init__(self, personal: Personal) -> None:
        super().__init__((personal, Similar(MODEL, unknown_taste())), MODEL, None, 0.0)
        self._personal = personal

    def __iter__(self) -> Iterator[Proposer]:
        yield self._personal


def walked(
    personal: Personal, mask: np.ndarray[Any, Any], policy: RankingPolicy, limit: int
) -> list[int]:
    """Every eligible row by descending score, taken unless a cap is reached."""
    rows = np.flatnonzero(mask).astype(np.int32)
    scores = personal.score(rows)
    counts: Counter[object] = Counter()
    taken: list[int] = []
    for place in np.lexsort((rows, -scores)):
        row = int(rows[place])
        item = MODEL.catalog.items[row]
        caps = [
            (item.merchants(), policy.max_per_merchant),
            (item.category, policy.max_per_category),
            (item.terms.exclusive_group, 1 if item.terms.exclusive_group else None),
        ]
        full = any(cap is not None and counts[key] >= cap for key, cap in caps)
        if scores[place] <= 0 or full or len(taken) == limit:
            continue
        taken.append(row)
        counts.update([key for key, _ in caps])
    return taken


def test_caps_give_way_rather_than_shorten_a_list() -> None:
    model = an_untrained_model(*(an_offer(f"offer_{n}") for n in range(5)))

    answer = ask(model, CardholderState("x"), policy={"max_per_merchant": 2})

    assert answer.returned == 5


def test_of_an_exclusive_group_a_list_holds_one_even_when_caps_give_way() -> None:
    group = {"exclusive_group": "one-of-these"}
    model = an_untrained_model(*(an_offer(f"offer_{n}", terms=group) for n in range(5)))

    answer = ask(model, CardholderState("x"))

    assert ids(answer) == ["offer_0"]


def test_a_boost_lifts_an_item_among_its_likes() -> None:
    documents = [an_offer(f"offer_{n}", merchant_id="m_1", mcc="5411") for n in range(3)]
    documents[2]["priority"] = 1000
    model = a_model(*documents)

    plain = ask(model, a_cardholder("ch_3"), policy={"boost_weight": 0.0})
    boosted = ask(model, a_cardholder("ch_3"), policy={"boost_weight": 0.1})

    assert ids(plain) == ["offer_0", "offer_1", "offer_2"]
    assert ids(boosted) == ["offer_2", "offer_0", "offer_1"]


def test_a_boost_moves_popular_items_too() -> None:
    documents = [an_offer(f"offer_{n}", merchant_id="m_1") for n in range(3)]
    documents[2]["priority"] = 1000

    answer = ask(a_model(*documents), CardholderState("x"))

    assert ids(answer)[0] == "offer_2"


def test_sponsored_items_stand_at_their_ranks_and_say_so() -> None:
    documents = [an_offer(f"offer_{n}", merchant_id=f"m_{n}") for n in range(6)]
    documents[4] |= {"sponsored": True, "priority": 5}
    documents[5] |= {"sponsored": True, "priority": 9}

    answer = ask(a_model(*documents), a_cardholder("ch_2"), policy={"promoted_positions": (2, 5)})

    assert ids(answer)[1] == "offer_5"
    assert ids(answer)[4] == "offer_4"
    assert [s.source for s in answer.items if s.item.sponsored] == [Source.PROMOTED] * 2
    assert answer.items[1].reasons[0].code == "sponsored"
    assert len({*ids(answer)}) == 6


def test_a_sponsored_item_that_is_not_eligible_takes_no_place() -> None:
    documents = [an_offer(f"offer_{n}", merchant_id=f"m_{n}") for n in range(4)]
    documents[3] |= {"sponsored": True, "terms": {"cities": ["Beijing"]}}

    answer = ask(a_model(*documents), a_cardholder("ch_2"))

    assert "offer_3" not in ids(answer)
    assert answer.returned == 3


@pytest.mark.parametrize("limit", [1, 2])
def test_promoted_ranks_beyond_the_list_are_not_used(limit: int) -> None:
    documents = [an_offer(f"offer_{n}", merchant_id=f"m_{n}") for n in range(4)]
    documents[3] |= {"sponsored": True}

    answer = ask(a_model(*documents), a_cardholder("ch_2"), limit=limit)

    assert Source.PROMOTED not in {served.source for served in answer.items}


def test_promoted_items_close_up_when_the_others_run_out() -> None:
    one, two, three = (Candidate(row, 1.0, Source.PERSONAL) for row in range(3))

    assert interleaved([], [one, two], [3, 7]) == [one, two]
    assert interleaved([one, two], [three], [2]) == [one, three, two]


def explored(request: str, bps: int, **changes: Any) -> Answer:
    policy = {"exploration_bps": bps, "exploration_pool": 5, "promoted_positions": ()}
    return ask(MODEL, a_cardholder("ch_3"), limit=5, request_id=request, policy=policy, **changes)


def test_chance_takes_the_last_place_only_and_as_often_as_it_should() -> None:
    usual = ids(explored("r", 0))
    lists = [explored(f"r{n}", 2000) for n in range(600)]

    chances = [a for a in lists if a.items[-1].source is Source.EXPLORATION]
    assert all(ids(a)[:4] == usual[:4] for a in lists)
    assert all(not {ids(a)[4]} & {*usual} for a in chances)
    assert 80 <= len(chances) <= 160
    counts = Counter(ids(a)[4] for a in chances)
    assert len(counts) == 5
    assert min(counts.values()) >= 8


def test_the_same_request_meets_the_same_chance() -> None:
    assert explored("r7", 5000) == explored("r7", 5000)


def test_nobody_who_is_not_personalised_meets_chance() -> None:
    for n in range(50):
        answer = ask(
            MODEL, CardholderState("x"), request_id=f"r{n}", policy={"exploration_bps": 10_000}
        )
        assert Source.EXPLORATION not in {served.source for served in answer.items}


def test_chance_never_shows_what_is_not_eligible() -> None:
    away = frozenset(i.item_id for i in MODEL.catalog.items[6:20])

    for n in range(100):
        assert not {*ids(explored(f"r{n}", 10_000, exclude=away))} & away


def test_a_draw_is_evenly_spread_and_belongs_to_its_key_and_name() -> None:
    draws = [draw(b"key", "name", str(n)) for n in range(2000)]

    assert all(0 <= d < 1 for d in draws)
    assert 0.47 < sum(draws) / 2000 < 0.53
    assert draw(b"key", "a") == draw(b"key", "a")
    assert draw(b"key", "a") != draw(b"other", "a")
    assert draw(b"key", "ab", "c") != draw(b"key", "a", "bc")


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, -1.0]), min_size=1, max_size=30),
    st.integers(1, 35),
    st.data(),
)
def test_best_rows_are_a_full_sort(scores: list[float], limit: int, data: st.DataObject) -> None:
    n = len(scores)
    eligible = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))

    found = best_rows(np.array(scores, np.float32), np.array(eligible), limit)

    expected = sorted((-s, row) for row, s in enumerate(scores) if eligible[row])[:limit]
    assert found.tolist() == [row for _, row in expected]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"boost_weight": -0.1}, "boost_weight"),
        ({"max_per_merchant": 0}, "cap"),
        ({"promoted_positions": (3, 3)}, "promoted_positions"),
        ({"promoted_positions": (0,)}, "promoted_positions"),
        ({"exploration_bps": 10_001}, "exploration_bps"),
    ],
)
def test_a_policy_without_meaning_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RankingPolicy(**changes)


def test_in_turn_gives_every_eligible_item_once() -> None:
    policy = RankingPolicy()
    personal = Personal(MODEL, taste_of(MODEL, a_cardholder("ch_3")), policy)
    mask = np.ones(24, np.bool_)

    rows = [c.row for c in in_turn([personal, personal], mask, 24)]

    assert len(rows) == len({*rows})
