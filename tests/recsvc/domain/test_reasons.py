"""Reasons are true of the cardholder's own history, and never tell what must not be told."""

import re
from typing import Any

import pytest

from embeddings.catalog.text import LOCALES
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.question import Answer, Reason
from recsvc.domain.reasons.names import (
    CATEGORIES,
    CITIES,
    HAN,
    category_name,
    city_name,
    name_in,
    spoken,
)
from recsvc.domain.reasons.texts import TEXTS, ReasonCode, sentence
from recsvc.domain.sensitive import is_sensitive_code, is_sensitive_name
from tests.bundles import a_benefit, an_offer, checkerboard
from tests.worlds import (
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
    with_labels,
    with_segments,
)
from training.simulate.merchants import draw_merchants
from training.simulate.parameters import Parameters
from training.simulate.places import CITIES as PLACES
from training.simulate.trades import TRADES
from training.simulate.wording import BENEFITS

VISITED, AFFINITY = ReasonCode.VISITED_MERCHANT, ReasonCode.CATEGORY_AFFINITY


def ask(model: Any, state: CardholderState, **changes: Any) -> Answer:
    question = a_question(state.cardholder_id, **changes)
    return a_recommender(max_per_merchant=None).answer(model, state, question, NOW)


def reasons(answer: Answer, item_id: str) -> dict[str, Reason]:
    served = next(s for s in answer.items if s.item.item_id == item_id)
    return {reason.code: reason for reason in served.reasons}


def test_the_visits_told_are_those_of_the_history_and_of_today_together() -> None:
    model = a_model()
    today = tuple(a_purchase("m_1", "5411", transaction_id=f"t{n}") for n in range(3))

    before = reasons(ask(model, a_cardholder("ch_3")), "offer_1")
    after = reasons(ask(model, a_cardholder("ch_3", contacts=today)), "offer_1")

    assert before["visited_merchant"].evidence == ({"merchant_id": "m_1", "visits": 2},)
    assert after["regular_at_merchant"].evidence == ({"merchant_id": "m_1", "visits": 5},)
    assert "5 visits" in after["regular_at_merchant"].text


def test_a_refund_today_is_taken_from_the_visits_told() -> None:
    refund = a_purchase("m_1", "5411", status="returned")

    answer = ask(a_model(), a_cardholder("ch_3", contacts=(refund,)))

    assert reasons(answer, "offer_1")["visited_merchant"].evidence[0]["visits"] == 1


def test_every_visit_told_equals_the_history() -> None:
    model = a_model()
    bundle = model.bundle
    assert bundle is not None
    for number in range(40):
        answer = ask(model, a_cardholder(f"ch_{number}"))
        row = bundle.model.cardholders.row(f"ch_{number}")
        own = bundle.model.history.cells(row or 0)
        rows = bundle.model.history.rows[own]
        visits = dict(
            zip(bundle.model.columns.ids(rows), bundle.model.history.visits[own], strict=True)
        )
        told = [e for s in answer.items for r in s.reasons for e in r.evidence]
        assert all(visits[f"merchant:{e['merchant_id']}"] == e["visits"] for e in told)
        assert told


def test_a_merchant_he_never_met_is_explained_by_one_he_did() -> None:
    # ch_3 has never been to m_3
    found = reasons(ask(a_model(), a_cardholder("ch_3")), "offer_3")

    assert found["similar_to_merchant"].evidence[0]["merchant_id"] in ("m_1", "m_5")


def test_many_visits_of_a_category_are_told() -> None:
    model = a_model(
        an_offer("offer_any_grocer", merchant_id=None, mcc="5411", category="groceries")
    )
    today = tuple(a_purchase("m_5", "5411", transaction_id=f"t{n}") for n in range(4))

    found = reasons(ask(model, a_cardholder("ch_3", contacts=today)), "offer_any_grocer")

    assert found["category_affinity"].evidence == ({"mcc": "5411", "visits": 6},)
    assert found["category_affinity"].text == "You often spend on groceries: 6 visits"


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        ({"mcc": "8062"}, {}),
        ({"category": "casino"}, {}),
        ({}, {"merchant:m_1": "Shanghai No. 1 Hospital"}),
        ({}, {"category:5411": "宗教用品"}),
    ],
)
def test_nothing_of_his_history_is_told_beside_a_sensitive_item(
    document: dict[str, Any], labels: dict[str, str]
) -> None:
    model = a_model(
        an_offer("offer_x", merchant_id="m_1", **{"mcc": "5411", **document}),
        bundle=bundle_of(with_labels(checkerboard(), labels)),
    )

    found = reasons(ask(model, a_cardholder("ch_3")), "offer_x")

    assert {*found} == {"fits_your_habits"}


def test_a_sensitive_merchant_of_his_history_is_never_named() -> None:
    labels = {"merchant:m_1": "Happy Casino", "merchant:m_5": "Corner Shop"}
    model = a_model(bundle=bundle_of(with_labels(checkerboard(), labels)))

    for number in range(1, 40, 2):
        answer = ask(model, a_cardholder(f"ch_{number}"))
        told = [r for s in answer.items for r in s.reasons]
        assert not any("Casino" in r.text for r in told)
        assert not any(e.get("merchant_id") == "m_1" for r in told for e in r.evidence)


def test_without_consent_no_reason_speaks_of_his_history() -> None:
    today = (a_purchase("m_1", "5411"),)

    answer = ask(a_model(), an_opted_out("ch_3", contacts=today))

    personal = {"regular_at_merchant", "visited_merchant", "category_affinity"}
    personal |= {"similar_to_merchant", "fits_your_habits"}
    assert not personal & {r.code for s in answer.items for r in s.reasons}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_served_item_has_a_reason_in_either_language(locale: str) -> None:
    documents = [
        *(an_offer(f"offer_{m}", merchant_id=f"m_{m}") for m in range(6)),
        an_offer("offer_unheard", merchant_id="m_unheard", mcc="9999"),
        a_benefit("benefit_1"),
        an_offer("offer_ad", sponsored=True),
    ]
    for model in (a_model(*documents), an_untrained_model(*documents)):
        for state in (a_cardholder("ch_3"), CardholderState("nobody")):
            answer = ask(model, state, locale=locale)
            assert answer.returned == 9
            assert all(s.reasons and all(r.text for r in s.reasons) for s in answer.items)


@pytest.mark.parametrize(
    ("segment", "code", "evidence"),
    [
        ("product:travel|city:Shanghai", "popular_with_card_in_city", {"city": "Shanghai"}),
        ("product:travel", "popular_with_card", {"card_product_id": "travel"}),
        ("city:Shanghai", "popular_in_city", {"city": "Shanghai"}),
    ],
)
def test_popular_says_with_whom(segment: str, code: str, evidence: dict[str, str]) -> None:
    counted = with_segments(checkerboard(), {segment: {"merchant:m_1": 0.9}})
    model = a_model(bundle=bundle_of(counted))

    answer = ask(model, an_opted_out(profile=held(GOLD, city="Shanghai")))

    assert answer.items[0].item.item_id == "offer_1"
    assert answer.items[0].reasons[0].code == code
    assert answer.items[0].reasons[0].evidence == (evidence,)


def test_a_benefit_says_that_it_belongs_to_the_card() -> None:
    model = a_model(a_benefit("benefit_1", terms={"card_products": ["travel"]}))

    found = reasons(ask(model, an_opted_out(profile=held(GOLD))), "benefit_1")

    assert found["benefit_of_your_card"].evidence == ({"card_product_id": "travel"},)


def test_every_reason_has_a_sentence_in_every_language() -> None:
    words = {"merchant": "", "visits": 3, "category": "", "city": ""}
    for code in ReasonCode:
        for locale in LOCALES:
            assert "{" not in sentence(code, locale, **words)
    assert set(TEXTS) == set(ReasonCode)


def test_a_merchant_without_a_name_is_paraphrased() -> None:
    assert (
        sentence(ReasonCode.VISITED_MERCHANT, "en", merchant="") == "You have been to this merchant"
    )


def test_a_category_label_is_read_in_the_asked_language() -> None:
    assert [category_name("dining", locale) for locale in ("zh-CN", "en")] == ["餐饮", "dining"]
    assert [category_name("Auto", locale) for locale in ("zh-CN", "en")] == ["汽车", "your car"]
    assert {category_name("home_and_garden", one) for one in LOCALES} == {"home and garden"}


def test_a_usual_category_has_a_name_in_both_languages_that_fits_the_sentence() -> None:
    told = {one: category_name("auto", one) for one in LOCALES}
    said = {one: sentence(AFFINITY, one, category=told[one], visits=6) for one in LOCALES}

    assert said["en"] == "You often spend on your car: 6 visits"
    assert said["zh-CN"] == "您经常在汽车类商户消费，共6次"
    assert all(HAN.search(zh) and not HAN.search(en) for zh, en in CATEGORIES.values())


@pytest.mark.parametrize("mcc", ["8011", "8062", "7995", "7273", "8661", "8651", "5912", "9223"])
def test_health_gambling_adult_faith_politics_are_sensitive(mcc: str) -> None:
    assert is_sensitive_code(mcc)


@pytest.mark.parametrize("mcc", ["5812", "5411", "4511", "7011", "", "dining", "８０６２"])
def test_everyday_categories_and_what_is_no_code_are_not(mcc: str) -> None:
    assert not is_sensitive_code(mcc)


@pytest.mark.parametrize(
    "name", ["St. Mary HOSPITAL", "同仁堂大药房", "星海口腔", "澳门博彩", "Grace Church"]
)
def test_a_name_can_be_sensitive_without_a_code(name: str) -> None:
    assert is_sensitive_name(name)


@pytest.mark.parametrize("name", ["Starbucks", "Food Court", "海底捞火锅", "Bailey & Sons"])
def test_an_everyday_name_is_not_sensitive(name: str) -> None:
    assert not is_sensitive_name(name)


@pytest.mark.parametrize(
    ("label", "zh", "en"),
    [
        ("云朵咖啡 / Cloud Petal Coffee", "云朵咖啡", "Cloud Petal Coffee"),
        ("云(静安店) 2 / Cloud (Jing'an) 2", "云(静安店) 2", "Cloud (Jing'an) 2"),
        ("Marks / Spencer", "Marks / Spencer", "Marks / Spencer"),
        ("云朵 / 花园", "云朵 / 花园", "云朵 / 花园"),
        ("云朵咖啡", "云朵咖啡", "云朵咖啡"),
        ("AMZNMktplace", "AMZNMktplace", "AMZNMktplace"),
    ],
)  # fmt: skip
def test_a_name_in_two_languages_is_told_in_that_of_the_sentence(
    label: str, zh: str, en: str
) -> None:
    assert (name_in(label, "zh-CN"), name_in(label, "en")) == (zh, en)
    said = {locale: sentence(VISITED, locale, merchant=label) for locale in LOCALES}
    assert said == {"zh-CN": f"您曾在{zh}消费", "en": f"You have been to {en}"}


@pytest.mark.parametrize("label", ["xian", "Xi'an", "西安", "西安市"])
def test_a_city_is_told_in_the_language_of_the_sentence_however_the_issuer_spells_it(
    label: str,
) -> None:
    zh = sentence(ReasonCode.POPULAR_WITH_CARD_IN_CITY, "zh-CN", city=label)
    en = sentence(ReasonCode.POPULAR_WITH_CARD_IN_CITY, "en", city=label)

    assert (zh, en) == ("西安同款卡持卡人常用", "Popular with holders of your card in Xi'an")


def test_a_place_that_nobody_listed_keeps_the_issuers_word_for_it() -> None:
    assert {city_name("Exeter", locale) for locale in LOCALES} == {"Exeter"}
    assert city_name("", "en") == ""
    assert len({*CITIES.values()}) == len(CITIES)


def test_whatever_the_simulated_issuer_names_is_told_in_one_language() -> None:
    asked = Parameters(cardholders=1, merchants=400, transactions=1, seed=3, ends_at=NOW)
    merchants = draw_merchants(asked)
    labels = [("merchant", name) for name in merchants.names]
    labels += [("city", place.city) for place in PLACES]

    for kind, label in labels:
        assert not HAN.search(spoken(kind, label, "en"))
        assert HAN.search(spoken(kind, label, "zh-CN"))
        assert not re.search("[a-z]", spoken(kind, label, "zh-CN"))
    assert [name_in(name, "zh-CN") for name in merchants.names] == merchants.zh
    for category in {trade.category for trade in TRADES} | {one.category for one in BENEFITS}:
        assert HAN.search(category_name(category, "zh-CN")), category
