"""One model to serve from, and the slot that holds it."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from embeddings.catalog import Catalog
from embeddings.model import Labels
from recsvc.domain.errors import NothingToServeError
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.domain.popularity import chain
from recsvc.domain.question import Source
from tests.bundles import a_benefit, an_offer, checkerboard
from tests.worlds import (
    CLASSIC,
    GOLD,
    NOW,
    a_cardholder,
    a_model,
    a_question,
    a_recommender,
    an_untrained_model,
    bundle_of,
    held,
)

DOCUMENTS = [an_offer(f"offer_{n}", merchant_id=f"m_{n}") for n in range(6)]


def test_a_model_built_from_an_earlier_one_equals_one_built_anew() -> None:
    earlier = a_model(*DOCUMENTS)
    changed = [
        *DOCUMENTS[1:4],
        {**DOCUMENTS[4], "merchant_id": "m_1"},
        an_offer("offer_new", merchant_id="m_unheard"),
        a_benefit("benefit_new", merchant_ids=["m_2", "m_5"]),
    ]

    again = a_model(*changed, bundle=earlier.bundle, earlier=earlier)
    anew = a_model(*changed, bundle=earlier.bundle)

    np.testing.assert_array_equal(again.space.vectors, anew.space.vectors)
    assert list(again.space.links) == list(anew.space.links)
    for state in (a_cardholder("ch_3"), a_cardholder("nobody")):
        question = a_question(state.cardholder_id)
        one, other = (a_recommender().answer(m, state, question, NOW) for m in (again, anew))
        assert one == other


def test_another_bundle_composes_all_items_anew() -> None:
    earlier = a_model(*DOCUMENTS)
    model = checkerboard()
    doubled = replace(model, factors=replace(model.factors, columns=model.factors.columns * 2))

    later = a_model(*DOCUMENTS, bundle=bundle_of(doubled), earlier=earlier)

    np.testing.assert_allclose(later.space.vectors, earlier.space.vectors * 2)


def test_what_is_known_of_names_outlives_the_catalogue_but_not_the_bundle() -> None:
    model = checkerboard()
    named = replace(model, labels=Labels.of([f"column {n}" for n in range(len(model.columns))]))
    earlier = a_model(*DOCUMENTS, bundle=bundle_of(named))
    known = earlier.naming.of(0)

    later = a_model(*DOCUMENTS[:3], bundle=earlier.bundle, earlier=earlier)
    anew = a_model(*DOCUMENTS, bundle=bundle_of(model), earlier=earlier)

    assert known.label == "column 0"
    assert later.naming.of(0) is known
    assert anew.naming.of(0).label == model.labels[0] != known.label


def test_an_item_gone_from_the_catalogue_is_gone_from_the_lists() -> None:
    earlier = a_model(*DOCUMENTS)
    later = a_model(*DOCUMENTS[:3], bundle=earlier.bundle, earlier=earlier)

    answer = a_recommender().answer(later, a_cardholder("ch_3"), a_question("ch_3"), NOW)

    assert {s.item.item_id for s in answer.items} == {"offer_0", "offer_1", "offer_2"}


def test_a_used_up_budget_takes_its_item_out_without_a_new_model() -> None:
    model = a_model(*DOCUMENTS)
    exhausted = model.with_exhausted(["offer_1"])
    state, question = a_cardholder("ch_3"), a_question("ch_3")

    before = a_recommender().answer(model, state, question, NOW)
    after = a_recommender().answer(exhausted, state, question, NOW)
    restored = a_recommender().answer(exhausted.with_exhausted([]), state, question, NOW)

    assert "offer_1" not in {s.item.item_id for s in after.items}
    assert before.items == restored.items
    assert exhausted.space is model.space


def test_a_merchant_unheard_of_at_training_still_has_its_categories_vector() -> None:
    model = a_model(an_offer("offer_new", merchant_id="m_brand_new", mcc="5411"))

    answer = a_recommender().answer(model, a_cardholder("ch_3"), a_question("ch_3"), NOW)

    assert answer.items[0].source is Source.PERSONAL


def test_a_merchant_and_a_category_unheard_of_are_new_not_lost() -> None:
    model = a_model(an_offer("offer_new", merchant_id="m_brand_new", mcc="9999"))

    answer = a_recommender().answer(model, a_cardholder("ch_3"), a_question("ch_3"), NOW)

    assert [s.source for s in answer.items] == [Source.NEW]
    assert answer.items[0].reasons[0].code == "new_offer"


def test_the_slot_gives_each_issuer_its_own_model() -> None:
    slot = ModelSlot()
    mine = a_model(*DOCUMENTS)
    theirs = replace(an_untrained_model(an_offer("other_1")), issuer_id="other")
    slot.swap(mine)
    slot.swap(theirs)

    assert slot.current("demo") is mine
    assert slot.current("other") is theirs
    assert slot.current("nobody") is None
    assert slot.issuers() == ["demo", "other"]
    assert slot.serving("demo") is mine
    with pytest.raises(NothingToServeError):
        slot.serving("nobody")
    slot.remove("other")
    assert slot.current("other") is None


def test_F13_no_answer_mixes_two_models_while_the_slot_is_swapped() -> None:
    first = a_model(*DOCUMENTS[:3])
    second = replace(a_model(*DOCUMENTS[3:]), catalog_version="8")
    slot, stop = ModelSlot(), threading.Event()
    slot.swap(first)

    def swap() -> None:
        while not stop.is_set():
            slot.swap(second)
            slot.swap(first)

    swapper = threading.Thread(target=swap)
    swapper.start()
    expected = {
        "7": {"offer_0", "offer_1", "offer_2"},
        "8": {"offer_3", "offer_4", "offer_5"},
    }
    try:
        for _ in range(200):
            model = slot.current("demo")
            assert model is not None
            answer = a_recommender().answer(model, a_cardholder("ch_3"), a_question(), NOW)
            assert {s.item.item_id for s in answer.items} == expected[answer.catalog_version]
    finally:
        stop.set()
        swapper.join()


def test_the_nearest_segments_come_first() -> None:
    assert chain(held(GOLD, CLASSIC, city="Shanghai")) == [
        "product:travel|city:Shanghai",
        "product:everyday|city:Shanghai",
        "product:travel",
        "product:everyday",
        "city:Shanghai",
        "all",
    ]
    assert chain(held()) == ["all"]


def test_a_catalogue_without_items_answers_with_an_empty_list() -> None:
    model = ServingModel.build("demo", bundle_of(), Catalog.of(()), "1")

    answer = a_recommender().answer(model, a_cardholder("ch_3"), a_question("ch_3"), NOW)

    assert answer.items == ()
    assert answer.personalised


def test_popularity_leans_on_the_items_own_usage_as_it_becomes_known() -> None:
    model = checkerboard()
    shares = a_model(*DOCUMENTS, bundle=bundle_of(model)).popularity.shares("all")

    expected = [model.popularity[0, model.columns.row(f"merchant:m_{n}") or 0] for n in range(6)]
    assert shares == pytest.approx(expected)


def test_a_place_of_many_merchants_is_as_popular_as_its_largest() -> None:
    model = a_model(
        a_benefit("benefit_1", merchant_ids=["m_0", "m_1"], mccs=["5812", "5411"]),
        a_benefit("benefit_2", merchant_ids=[], mccs=["5812"]),
    )
    trained = checkerboard()
    share = {name: trained.popularity[0, row] for row, name in enumerate(trained.columns)}

    assert model.popularity.shares("all") == pytest.approx(
        [max(share["merchant:m_0"], share["merchant:m_1"]), share["category:5812"]]
    )
