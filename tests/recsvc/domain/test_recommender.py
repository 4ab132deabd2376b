"""The path from question to answer, personalised or not."""

from datetime import timedelta
from typing import Any

import pytest

from embeddings.catalog import Channel, ItemKind
from recsvc.domain.cardholder import Activation, CardholderState, ItemUse
from recsvc.domain.question import Answer, Question, Shortfall, Source
from tests.bundles import a_benefit, an_offer, checkerboard
from tests.worlds import (
    CLASSIC,
    GOLD,
    NOW,
    a_cardholder,
    a_model,
    a_purchase,
    a_question,
    a_recommender,
    an_opted_out,
    an_untrained_model,
    bundle_of,
    held,
    with_segments,
)


def ids(answer: Answer) -> list[str]:
    return [served.item.item_id for served in answer.items]


def ask(model: Any, state: CardholderState, **changes: Any) -> Answer:
    policy = changes.pop("policy", {})
    question = a_question(state.cardholder_id, **changes)
    return a_recommender(**policy).answer(model, state, question, NOW)


def test_a_cardholder_first_gets_what_his_kind_buys() -> None:
    answer = ask(a_model(), a_cardholder("ch_3"), limit=3)

    assert answer.personalised
    assert ids(answer) == ["offer_1", "offer_3", "offer_5"]
    assert {served.source for served in answer.items} == {Source.PERSONAL}


def test_without_consent_nothing_is_personalised() -> None:
    answer = ask(a_model(), an_opted_out("ch_3"))

    assert not answer.personalised
    assert {served.source for served in answer.items} == {Source.POPULAR}


def test_two_opted_out_of_one_product_and_city_get_identical_lists() -> None:
    documents = [
        *(an_offer(f"offer_{m}", merchant_id=f"m_{m}") for m in range(6)),
        an_offer("offer_vip", terms={"segments": ["vip"]}),
        an_offer("offer_newcomer", terms={"customer_recency": {"min_days": 30}}),
    ]
    model = a_model(*documents)
    one = an_opted_out("ch_2", profile=held(GOLD, city="Shanghai", segments=["vip"]))
    other = an_opted_out(
        "ch_3",
        profile=held(GOLD, city="Shanghai", segments=["student"]),
        contacts=(a_purchase("m_1", "5411"),),
    )

    first, second = ask(model, one), ask(model, other)

    assert [(s.item, s.score, s.source, s.reasons) for s in first.items] == [
        (s.item, s.score, s.source, s.reasons) for s in second.items
    ]
    assert len(first.items) == 6


def test_an_unknown_cardholder_gets_a_full_page() -> None:
    answer = ask(a_model(), CardholderState("nobody"), limit=6)

    assert not answer.personalised
    assert answer.returned == 6
    assert answer.shortfall_reason is None


def test_an_erased_cardholder_is_not_looked_up_in_the_bundle() -> None:
    answer = ask(a_model(), a_cardholder("ch_3", erased=True))

    assert not answer.personalised


def test_when_the_store_is_away_the_answer_says_so_and_is_not_personalised() -> None:
    answer = ask(a_model(), CardholderState.away("ch_3", "cardholder_store"))

    assert not answer.personalised
    assert answer.degraded == ("cardholder_store",)
    assert answer.returned == 6


def test_an_issuer_without_a_bundle_serves_its_catalogue_newest_first() -> None:
    model = an_untrained_model(
        an_offer("offer_a", terms={"starts_at": "2026-01-01T00:00:00Z"}),
        an_offer("offer_b", terms={"starts_at": "2026-01-05T00:00:00Z"}),
        an_offer("offer_c"),
    )

    answer = ask(model, a_cardholder(), policy={"max_per_merchant": None})

    assert ids(answer) == ["offer_b", "offer_a", "offer_c"]
    assert answer.degraded == ("model",)
    assert answer.model_version is None


def test_a_purchase_a_moment_ago_moves_the_next_list() -> None:
    model = a_model()
    before = ask(model, a_cardholder("ch_3"), limit=6)
    purchases = tuple(
        a_purchase("m_2", "5812", transaction_id=f"t_{n}", occurred_at=NOW - timedelta(hours=n))
        for n in range(60)
    )

    after = ask(model, a_cardholder("ch_3", contacts=purchases), limit=6)

    assert ids(before)[0] == "offer_1"
    assert ids(after).index("offer_2") < ids(before).index("offer_2")


def test_a_newcomer_is_personalised_by_his_first_purchase() -> None:
    newcomer = a_cardholder("ch_new", contacts=(a_purchase("m_1", "5411"),))

    answer = ask(a_model(), newcomer, limit=3)

    assert answer.personalised
    assert {served.item.categories() for served in answer.items} == {("5411",)}


def test_what_was_dismissed_is_gone_until_it_lapses() -> None:
    model, state = a_model(), a_cardholder("ch_3")
    dismissed = a_cardholder("ch_3", dismissals={"offer_1": NOW + timedelta(days=1)})
    lapsed = a_cardholder("ch_3", dismissals={"offer_1": NOW})

    assert "offer_1" in ids(ask(model, state))
    assert "offer_1" not in ids(ask(model, dismissed))
    assert ids(ask(model, lapsed)) == ids(ask(model, state))


def test_an_item_published_a_minute_ago_is_recommended_without_training() -> None:
    earlier = a_model()
    fresh = an_offer("offer_fresh", merchant_id="m_3", mcc="5411")
    model = a_model(
        *(an_offer(f"offer_{m}", merchant_id=f"m_{m}") for m in range(6)),
        fresh,
        bundle=earlier.bundle,
        earlier=earlier,
    )

    answer = ask(model, a_cardholder("ch_3"), limit=4, policy={"max_per_merchant": None})

    served = {s.item.item_id: s for s in answer.items}
    assert served["offer_fresh"].source is Source.PERSONAL


def test_popular_means_popular_in_the_nearest_segment_that_is_known() -> None:
    counted = with_segments(
        checkerboard(),
        {
            "product:travel|city:Shanghai": {"merchant:m_1": 0.9, "merchant:m_2": 0.5},
            "city:Shanghai": {"merchant:m_3": 0.9},
        },
    )
    model = a_model(bundle=bundle_of(counted))
    traveller = an_opted_out(profile=held(GOLD, city="Shanghai"))
    other = an_opted_out(profile=held(CLASSIC, city="Shanghai"))

    assert ids(ask(model, traveller))[:3] == ["offer_1", "offer_2", "offer_3"]
    assert ids(ask(model, other))[0] == "offer_3"
    assert ids(ask(model, an_opted_out(), city="Shanghai"))[0] == "offer_3"


def test_strict_leaves_out_popular_and_new_filler_and_says_why() -> None:
    answer = ask(a_model(), a_cardholder("ch_3"), limit=6, strict=True)

    assert ids(answer) == ["offer_1", "offer_3", "offer_5"]
    assert answer.shortfall_reason is Shortfall.STRICT


@pytest.mark.parametrize(
    ("documents", "question", "reason"),
    [
        ([], {}, Shortfall.CATALOGUE_EMPTY),
        ([an_offer(terms={"ends_at": "2026-01-01T00:00:00Z"})], {}, Shortfall.NOTHING_ELIGIBLE),
        ([an_offer()], {"limit": 2}, Shortfall.TOO_FEW_ELIGIBLE),
        ([an_offer()], {"limit": 1}, None),
    ],
)
def test_F35_a_short_list_says_why(
    documents: list[dict[str, Any]], question: dict[str, Any], reason: Shortfall | None
) -> None:
    answer = ask(an_untrained_model(*documents), CardholderState("x"), **question)

    assert answer.shortfall_reason is reason


def test_a_hard_cap_that_shortens_the_list_is_named() -> None:
    model = an_untrained_model(*(an_offer(f"offer_{n}") for n in range(5)))

    answer = ask(model, CardholderState("x"), policy={"relax_caps": False})

    assert answer.returned == 2
    assert answer.shortfall_reason is Shortfall.CAPS


def test_the_request_narrows_by_kind_category_channel_and_exclusion() -> None:
    model = a_model(
        an_offer("offer_app", terms={"channels": ["mobile_app"]}),
        an_offer("offer_any", merchant_id="m_2"),
        a_benefit("benefit_any"),
    )
    state = CardholderState("x")

    assert ids(ask(model, state, kinds=frozenset({ItemKind.BENEFIT}))) == ["benefit_any"]
    assert ids(ask(model, state, category="travel")) == ["benefit_any"]
    assert "offer_app" not in ids(ask(model, state, channel=Channel.WEB))
    assert "offer_app" in ids(ask(model, state, channel=Channel.MOBILE_APP))
    assert "offer_any" not in ids(ask(model, state, exclude=frozenset({"offer_any"})))


def test_an_answer_tells_how_far_each_item_is_activated() -> None:
    model = a_model(
        an_offer("offer_a", terms={"requires_activation": True}),
        an_offer("offer_b", merchant_id="m_1", terms={"requires_activation": True}),
        an_offer("offer_c", merchant_id="m_2"),
    )
    state = a_cardholder("x", uses={"offer_b": ItemUse(Activation.ACTIVATED)})

    served = {s.item.item_id: s.activation for s in ask(model, state).items}

    assert served == {
        "offer_a": Activation.AVAILABLE,
        "offer_b": Activation.ACTIVATED,
        "offer_c": Activation.NOT_REQUIRED,
    }


def test_the_same_question_gets_the_same_list() -> None:
    model, state = a_model(), a_cardholder("ch_3")

    assert ask(model, state) == ask(model, state)


def test_versions_in_an_answer_are_those_of_its_one_model() -> None:
    model = a_model()

    answer = ask(model, a_cardholder())

    assert (answer.model_version, answer.catalog_version) == (model.model_version, "7")


@pytest.mark.parametrize("limit", [0, -1, 101, 10**9])
def test_F39_a_limit_that_no_list_can_have_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        Question(request_id="r", cardholder_id="c", limit=limit)
