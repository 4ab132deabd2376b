"""Given items in order, or refused with every reason; items like an item."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.cardholder import CardholderState
from recsvc.domain.eligibility import Refusal
from recsvc.domain.errors import InvalidError, NotFoundError
from recsvc.domain.question import Ranking
from recsvc.domain.rankings import rank_items, refusals_of
from recsvc.domain.similar import similar_items
from tests.bundles import an_offer
from tests.worlds import NOW, a_cardholder, a_model, a_question, a_recommender, an_untrained_model

OVER = {"ends_at": "2026-01-01T00:00:00Z"}
MODEL = a_model(
    *(
        an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc="5812" if m % 2 == 0 else "5411")
        for m in range(6)
    ),
    an_offer("offer_over", terms=OVER),
    an_offer("offer_unheard", merchant_id="m_unheard", mcc="9999"),
)
ALL = [item.item_id for item in MODEL.catalog.items]


def rank(state: CardholderState, item_ids: list[str], model: Any = MODEL) -> Ranking:
    question = a_question(state.cardholder_id)
    return rank_items(a_recommender(), model, state, question, item_ids, NOW)


def test_given_items_come_in_the_order_of_a_list() -> None:
    recommender = a_recommender(promoted_positions=(), max_per_merchant=None)
    listed = recommender.answer(MODEL, a_cardholder("ch_3"), a_question("ch_3"), NOW)

    ranking = rank(a_cardholder("ch_3"), ALL)

    assert [r.item_id for r in ranking.ranked] == [s.item.item_id for s in listed.items]
    assert [r.score for r in ranking.ranked] == [s.score for s in listed.items]
    assert ranking.personalised


@given(st.permutations(ALL))
@settings(max_examples=20, deadline=None)
def test_the_order_in_which_items_are_given_does_not_matter(item_ids: list[str]) -> None:
    assert rank(a_cardholder("ch_3"), item_ids).ranked == rank(a_cardholder("ch_3"), ALL).ranked


@given(st.lists(st.sampled_from([*ALL, "nothing", "offer_zzz"]), max_size=12))
@settings(max_examples=50, deadline=None)
def test_every_given_item_is_ranked_or_refused_once(item_ids: list[str]) -> None:
    ranking = rank(a_cardholder("ch_3"), item_ids)

    told = [r.item_id for r in ranking.ranked] + [r.item_id for r in ranking.refused]
    assert sorted(told) == sorted({*item_ids})
    assert all(r.refusals for r in ranking.refused)


def test_each_refused_item_has_its_reasons() -> None:
    refused = {r.item_id: r.refusals for r in rank(a_cardholder(), [*ALL, "nothing"]).refused}

    assert refused == {"offer_over": (Refusal.ENDED,), "nothing": (Refusal.UNKNOWN_ITEM,)}


def test_without_consent_items_are_ranked_by_popularity() -> None:
    ranking = rank(CardholderState("ch_3"), ALL)

    assert not ranking.personalised
    assert len(ranking.ranked) == 7


def test_without_a_bundle_all_eligible_items_are_ranked() -> None:
    model = an_untrained_model(an_offer("a"), an_offer("b"))

    ranking = rank(a_cardholder(), ["b", "a"], model)

    assert [r.item_id for r in ranking.ranked] == ["a", "b"]
    assert ranking.degraded == ("model",)


def test_more_than_five_hundred_items_are_refused() -> None:
    with pytest.raises(InvalidError, match="at most 500") as raised:
        rank(a_cardholder(), [f"i{n}" for n in range(501)])

    assert raised.value.pointer == "/item_ids"


def test_eligibility_of_one_item_names_every_reason() -> None:
    recommender, question = a_recommender(), a_question(category="travel")

    found = refusals_of(recommender, MODEL, a_cardholder(), "offer_over", question, NOW)

    assert found == (Refusal.ENDED, Refusal.CATEGORY)
    assert refusals_of(recommender, MODEL, a_cardholder(), "offer_0", a_question(), NOW) == ()


def test_items_like_an_item_are_of_its_kind() -> None:
    found = similar_items(MODEL, "offer_1", 10, NOW)

    assert [s.item.item_id for s in found] == ["offer_3", "offer_5"]
    assert all(s.score == pytest.approx(1.0, abs=1e-5) for s in found)


def test_an_item_that_is_over_or_unheard_of_is_like_none() -> None:
    alike = {s.item.item_id for s in similar_items(MODEL, "offer_0", 10, NOW)}

    assert not {"offer_over", "offer_unheard", "offer_0"} & alike
    assert similar_items(MODEL, "offer_unheard", 10, NOW) == ()


def test_what_is_not_in_the_catalogue_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        similar_items(MODEL, "nothing", 10, NOW)
