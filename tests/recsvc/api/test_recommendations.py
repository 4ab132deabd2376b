"""Lists over HTTP in the checkerboard world: even cardholders like even merchants."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from recsvc.api.answers import (
    BatchAnswer,
    EligibilityAnswer,
    ModelPage,
    RankingAnswer,
    RecommendationAnswer,
    ServingShape,
    SimilarAnswer,
)
from recsvc.stores.assembly import Stores
from tests.bundles import a_catalog, checkerboard, publish
from tests.service import Service, a_connection

LIST = "/v1/cardholders/ch_0/recommendations"
YES = {"personalisation": True, "purpose_version": "1"}


@pytest.fixture
def trained(service: Service) -> Service:
    """An issuer with a bundle and the catalogue it was trained with."""
    publish(service.shelf())
    service.look()
    return service


def ids(answer: Any) -> list[str]:
    return [item["item_id"] for item in json.loads(answer.data)["items"]]


def says_yes(service: Service, *cardholders: str) -> None:
    for cardholder in cardholders:
        service.ask("PUT", f"/v1/cardholders/{cardholder}/consent", YES)


def test_consent_and_its_withdrawal_are_felt_by_the_very_next_list(trained: Service) -> None:
    before = trained.ask("GET", LIST).json
    says_yes(trained, "ch_0")
    with_consent = trained.ask("GET", LIST).json
    trained.ask("PUT", "/v1/cardholders/ch_0/consent", {**YES, "personalisation": False})
    after = trained.ask("GET", LIST).json

    assert [a["personalised"] for a in (before, with_consent, after)] == [False, True, False]
    personal = [i["merchant_id"] for i in with_consent["items"] if i["source"] == "personal"]
    assert set(personal) == {"m_0", "m_2", "m_4"}


def test_two_opted_out_cardholders_of_one_product_get_the_same_list(trained: Service) -> None:
    lists = [
        trained.ask("GET", f"/v1/cardholders/{c}/recommendations").json for c in ("ch_0", "ch_1")
    ]
    bare = [
        [{k: v for k, v in item.items() if k != "serve_token"} for item in one["items"]]
        for one in lists
    ]

    assert bare[0] == bare[1]
    assert bare[0]


def test_an_unknown_cardholder_gets_a_list_of_the_same_length(trained: Service) -> None:
    answer = trained.ask("GET", "/v1/cardholders/never_seen/recommendations?limit=4").json

    assert (answer["personalised"], answer["returned"]) == (False, 4)


@pytest.mark.parametrize(
    "query",
    [
        *(
            f"limit={given}"
            for given in ("0", "-1", "101", "1e9", "1.5", "%225%22", "true", "+5", "")
        ),
        *("kind=voucher", "channel=fax", "locale=fr", "strict=1", "exclude=a%2Fb", "placement=a b"),
        *("city=a%00b", "unknown=1", "strict=true&strict=true", "exclude=" + "x" * 129),
    ],
)
def test_f39_a_wrong_parameter_is_422(trained: Service, query: str) -> None:
    answer = trained.ask("GET", f"{LIST}?{query}")

    assert answer.status_code == 422
    pointer = json.loads(answer.data)["errors"][0]["pointer"]
    assert pointer.split("/")[:2] == ["query", query.partition("=")[0]]


def test_f39_more_than_five_hundred_exclusions_are_422(trained: Service) -> None:
    query = "&".join(f"exclude=o{number}" for number in range(501))

    assert trained.ask("GET", f"{LIST}?{query}").status_code in (414, 422)


def test_exclusions_and_kinds_are_obeyed(trained: Service) -> None:
    everything = ids(trained.ask("GET", f"{LIST}?limit=100"))
    fewer = ids(trained.ask("GET", f"{LIST}?limit=100&exclude={everything[0]}"))
    benefits = trained.ask("GET", f"{LIST}?kind=benefit").json

    assert set(everything) - set(fewer) == {everything[0]}
    assert (benefits["items"], benefits["shortfall_reason"]) == ([], "nothing_eligible")


def test_the_title_is_in_the_language_asked_for(trained: Service) -> None:
    titles = {
        locale: trained.ask("GET", f"{LIST}?locale={locale}&limit=1").json["items"][0]["title"]
        for locale in ("zh-CN", "en")
    }

    assert titles == {"zh-CN": "满100减20", "en": "20 off 100"}


def test_a_batch_is_what_each_would_get_alone(trained: Service) -> None:
    says_yes(trained, "ch_0")
    cardholders = ["ch_0", "ch_1", "nobody"]
    batch = trained.ask("POST", "/v1/recommendations:batch", {"cardholder_ids": cardholders})
    together = [ids_of(one) for one in batch.json["results"]]
    alone = [ids(trained.ask("GET", f"/v1/cardholders/{c}/recommendations")) for c in cardholders]

    assert together == alone


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


@pytest.mark.parametrize(
    "body",
    [
        {"cardholder_ids": []},
        {"cardholder_ids": ["a", "a"]},
        {"cardholder_ids": [str(n) for n in range(101)]},
        {"cardholder_ids": ["a"], "limit": "5"},
        {"cardholder_ids": ["a"], "limit": 1.5},
        {"cardholder_ids": ["a"], "limit": True},
        {"cardholder_ids": [1]},
        {"cardholder_ids": ["a"], "k": 5},
        {},
    ],
)
def test_f39_a_wrong_batch_is_422(trained: Service, body: dict[str, Any]) -> None:
    assert trained.ask("POST", "/v1/recommendations:batch", body).status_code == 422


def test_rankings_order_what_is_given_and_say_why_the_rest_is_not_for_him(
    trained: Service,
) -> None:
    says_yes(trained, "ch_0")
    body = {"cardholder_id": "ch_0", "item_ids": ["offer_1", "nothing", "offer_2"]}
    answer = trained.ask("POST", "/v1/rankings", body).json

    assert [one["item_id"] for one in answer["ranked"]] == ["offer_2", "offer_1"]
    assert answer["refused"] == [{"item_id": "nothing", "refusals": ["unknown_item"]}]


def test_eligibility_tells_and_an_unknown_item_is_404(trained: Service) -> None:
    may = trained.ask("GET", "/v1/cardholders/ch_0/eligibility/offer_2").json
    unknown = trained.ask("GET", "/v1/cardholders/ch_0/eligibility/nothing")

    assert (may["eligible"], may["refusals"]) == (True, [])
    assert unknown.status_code == 404


def test_f34_an_issuer_without_a_catalogue_gets_503_with_a_code(trained: Service) -> None:
    answer = trained.ask("GET", LIST, issuer_id="new")

    assert (answer.status_code, json.loads(answer.data)["code"]) == (503, "no_catalog")
    assert answer.headers["Retry-After"]


def test_f34_an_issuer_without_a_model_gets_a_list_that_says_so(service: Service) -> None:
    for item in a_catalog().items:
        document = item.model_dump(mode="json", exclude_none=True)
        service.ask("PUT", f"/v1/offers/{item.item_id}", document)
    service.look()
    answer = service.ask("GET", LIST).json

    assert (answer["degraded"], answer["model_version"]) == (["model"], None)
    assert answer["returned"] == 6


def test_f01_with_the_store_away_the_list_is_not_personalised_and_says_what_lacks(
    trained: Service, black_hole: str
) -> None:
    says_yes(trained, "ch_0")
    gone = a_connection(
        black_hole, log=trained.services.log, metrics=trained.services.metrics, wait_seconds=0.05
    )
    lonely = trained.again(Stores.of(gone, gone))
    lonely.services.loader.follow_shelves()
    lonely.services.keys._at_hand.replace(trained.stores.api_keys.all())
    lonely.keys["demo"] = trained.keys["demo"]
    one = lonely.ask("GET", LIST)
    many = lonely.ask("POST", "/v1/recommendations:batch", {"cardholder_ids": ["ch_0"]})
    may = lonely.ask("GET", "/v1/cardholders/ch_0/eligibility/offer_2")
    gone.close()

    assert one.status_code == 200
    assert (one.json["personalised"], one.json["degraded"]) == (False, ["profile_store"])
    assert one.json["items"]
    assert many.json["results"][0]["degraded"] == ["profile_store"]
    assert may.status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "body", "shape"),
    [
        ("GET", LIST, None, RecommendationAnswer),
        ("POST", "/v1/recommendations:batch", {"cardholder_ids": ["ch_0"]}, BatchAnswer),
        ("POST", "/v1/rankings", {"cardholder_id": "ch_0", "item_ids": ["x"]}, RankingAnswer),
        ("GET", "/v1/items/offer_2/similar", None, SimilarAnswer),
        ("GET", "/v1/cardholders/ch_0/eligibility/offer_2", None, EligibilityAnswer),
        ("GET", "/v1/models", None, ModelPage),
        ("GET", "/v1/models/current", None, ServingShape),
    ],
)
def test_answers_have_the_documented_shape(
    trained: Service, method: str, path: str, body: Any, shape: type[BaseModel]
) -> None:
    says_yes(trained, "ch_0")
    answer = trained.ask(method, path, body)

    assert answer.status_code == 200
    shape.model_validate_json(answer.data)


class TestModels:
    def test_promoting_and_rolling_back_change_what_the_next_look_serves(
        self, trained: Service
    ) -> None:
        first = trained.shelf().current_version()
        second = publish(trained.shelf(), checkerboard(n_cardholders=44)).version
        trained.look()
        served = [trained.ask("GET", LIST).json["model_version"]]
        back = trained.ask("POST", "/v1/models:rollback").json
        trained.look()
        served.append(trained.ask("GET", LIST).json["model_version"])
        trained.ask("POST", f"/v1/models/{second}:promote")
        trained.look()
        served.append(trained.ask("GET", LIST).json["model_version"])

        assert back == {"version": first, "status": "current"}
        assert served == [second, first, second]

    def test_a_shelf_with_nothing_earlier_says_so(self, trained: Service) -> None:
        refused = trained.ask("POST", "/v1/models:rollback")

        assert (refused.status_code, refused.json["code"]) == (409, "shelf_refused")
        assert "no earlier version to roll back to" in refused.json["detail"]

    @pytest.mark.parametrize(
        "version",
        ["..%2f..%2fetc%2fpasswd", "%2e%2e", "20260101T000000Z-000009-00000000", "x%00", "CURRENT"],
    )
    def test_f45_a_version_that_is_not_there_or_leads_out_is_refused(
        self, trained: Service, version: str
    ) -> None:
        answer = trained.ask("POST", f"/v1/models/{version}:promote")

        assert answer.status_code in (404, 422)

    def test_a_damaged_bundle_cannot_be_promoted(self, trained: Service) -> None:
        second = publish(trained.shelf(), checkerboard(n_cardholders=44))
        trained.shelf().rollback()
        victim = second.folder / "columns.npy"
        victim.write_bytes(victim.read_bytes()[:-1] + b"\x7f")
        answer = trained.ask("POST", f"/v1/models/{second.version}:promote")

        assert (answer.status_code, json.loads(answer.data)["code"]) == (409, "model_refused")

    def test_f40_another_issuers_version_is_404(self, trained: Service) -> None:
        version = trained.shelf().current_version()
        answer = trained.ask("POST", f"/v1/models/{version}:promote", issuer_id="other")

        assert answer.status_code == 404


class TestBrokenBundles:
    def test_f10_a_flipped_byte_is_refused_with_a_log_line_and_the_old_one_serves(
        self, trained: Service, log_lines: Any
    ) -> None:
        old = trained.shelf().current_version()
        new = publish(trained.shelf(), checkerboard(n_cardholders=44))
        victim = new.folder / "columns.npy"
        victim.write_bytes(victim.read_bytes()[:-1] + b"\x7f")
        for _ in range(3):
            trained.look()
        events = [json.loads(line) for line in log_lines.getvalue().splitlines()]
        refused = [event for event in events if event["event"] == "bundle_refused"]

        assert trained.ask("GET", LIST).json["model_version"] == old
        assert [event["version"] for event in refused] == [new.version]
        assert 'recsvc_model_stale{issuer="demo"} 1.0' in trained.ask("GET", "/metrics").text

    def test_f14_a_pointer_to_nothing_or_half_written_changes_nothing(
        self, trained: Service
    ) -> None:
        old = trained.shelf().current_version()
        for text in ("20990101T000000Z-000009-00000000", "2099", "", "../../etc"):
            (trained.shelf().folder / "CURRENT").write_text(text)
            trained.look()

            assert trained.ask("GET", LIST).json["model_version"] == old

    def test_f10_a_start_with_a_broken_bundle_serves_the_newest_good_one(
        self, trained: Service
    ) -> None:
        old = trained.shelf().current_version()
        new = publish(trained.shelf(), checkerboard(n_cardholders=44))
        (new.folder / "manifest.json").write_text("{}")
        fresh = trained.again()
        fresh.look()

        assert fresh.ask("GET", LIST).json["model_version"] == old

    def test_f10_with_only_bad_bundles_it_is_not_ready_but_alive(self, service: Service) -> None:
        bundle = publish(service.shelf())
        (bundle.folder / "manifest.json").unlink()
        service.look()
        ready = service.ask("GET", "/readyz")

        assert ready.status_code == 503
        assert ready.json["reasons"] == ["no_catalog", "no_model"]
        assert service.ask("GET", "/livez").status_code == 200


def test_ready_means_a_model_and_a_catalogue_and_not_draining(trained: Service) -> None:
    before = trained.ask("GET", "/readyz")
    trained.services.draining.set()
    after = trained.ask("GET", "/readyz")

    assert (before.status_code, before.json["reasons"]) == (200, [])
    assert (after.status_code, after.json["reasons"]) == (503, ["draining"])


def test_what_was_served_is_remembered_for_attribution(trained: Service) -> None:
    answer = trained.ask("GET", LIST).json
    trained.services.serves.flush()
    rows: Any = trained.stores.cache.ask(lambda store: store.xrange("r1:{demo}:serves"))
    kept = json.loads(rows[0][1][b"serve"])

    assert kept["request_id"] == answer["request_id"]
    assert [item[0] for item in kept["items"]] == [item["item_id"] for item in answer["items"]]
