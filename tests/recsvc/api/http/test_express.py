"""What is plain is answered ahead of Flask, as Flask would answer it; all else is left to it."""

import time
from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from recsvc.api.http.auditing import TELLING
from recsvc.api.http.express import Express, PlainHead, PlainRequest, Stop
from recsvc.api.http.lifecycle import PLAIN_HEADERS
from recsvc.api.http.parsing import QueryPlan
from recsvc.api.http.schemas import CardholderPath, Parameters
from recsvc.app import EXPRESS
from tests.bundles import publish
from tests.service import Service

LIST = "/v1/cardholders/ch_3/recommendations"
ITS_OWN = ("X-Request-Id", "traceparent")
Body = dict[str, Any]
HOST = "localhost"


class Rider:
    """Asks the express of a service, and Flask behind it."""

    def __init__(self, service: Service, key: str) -> None:
        self.express: Express = service.app.extensions[EXPRESS]
        self._client = service.app.test_client()
        self._key = key

    def request(self, path: str = LIST, query: str = "", **head: str) -> PlainRequest:
        """A plain request of somebody with the service's key, that came just now."""
        known = {"host": HOST, "authorization": f"Bearer {self._key}"}
        return PlainRequest(path, query, PlainHead(**{**known, **head}), time.monotonic())

    def ask_all(self, *requests: PlainRequest) -> list[tuple[dict[str, str], Body] | None]:
        """Own headers and body of each answer; None for those that are left to Flask."""
        answers: list[tuple[dict[str, str], Body] | None] = [None] * len(requests)
        for place, visit, body in self.express.answer_all(requests):
            answers[place] = dict(visit.headers), orjson.loads(body)
        return answers

    def ask(self, path: str = LIST, query: str = "", **head: str) -> Any:
        """The same for one."""
        return self.ask_all(self.request(path, query, **head))[0]

    def flask(self, path: str = LIST, query: str = "", **headers: str) -> TestResponse:
        """Flask's own answer; afterwards it knows the query and the host."""
        told = {"Authorization": f"Bearer {self._key}", **headers}
        return self._client.get(path, query_string=query, headers=told)


@pytest.fixture
def rider(service: Service) -> Rider:
    """Of a service that knows the plain query and the host."""
    publish(service.shelf())
    service.look()
    rider = Rider(service, service.key("demo"))
    for cardholder_id in ("ch_3", "ch_4"):
        path = f"/v1/cardholders/{cardholder_id}/consent"
        service.ask("PUT", path, {"personalisation": True, "purpose_version": "1"})
    assert rider.flask().status_code == 200
    return rider


def without_chance(body: Body) -> Body:
    """An answer without what is drawn anew for each request."""
    items = [{k: v for k, v in item.items() if k != "serve_token"} for item in body["items"]]
    return {**body, "request_id": "", "items": items}


def test_a_plain_request_is_answered_as_flask_would_answer_it(rider: Rider) -> None:
    by_flask = rider.flask(query="limit=3&channel=mobile_app")
    assert by_flask.json

    headers, body = rider.ask(query="limit=3&channel=mobile_app")

    assert without_chance(body) == without_chance(by_flask.json)
    assert body["personalised"]
    assert len(body["items"]) == 3
    assert {*headers} == {*ITS_OWN}
    assert body["request_id"] == headers["X-Request-Id"]
    told = {n: v for n, v in by_flask.headers.items() if n not in (*ITS_OWN, "Content-Length")}
    assert told == dict(PLAIN_HEADERS)


def test_requests_that_come_together_get_each_their_own_answer(rider: Rider) -> None:
    rider.flask(query="limit=2")
    asked = [
        rider.request(request_id="a"),
        rider.request(path="/v1/cardholders/ch_4/recommendations", request_id="b"),
        rider.request(query="limit=2", request_id="c"),
        rider.request(authorization="Bearer rsk_no.key", request_id="d"),
        rider.request(path="/v1/cardholders/unknown/recommendations", request_id="e"),
    ]

    together = rider.ask_all(*asked)

    alone = [rider.ask_all(one)[0] for one in asked]
    assert together[3] is None
    for mine, own in zip(together, alone, strict=True):
        assert (mine is None) == (own is None)
        if mine and own:
            assert without_chance(mine[1]) == without_chance(own[1])
    told = [one[1] for one in together if one]
    assert [one["request_id"] for one in told] == ["a", "b", "c", "e"]
    assert [one["cardholder_id"] for one in told] == ["ch_3", "ch_4", "ch_3", "unknown"]
    assert [one["personalised"] for one in told] == [True, True, True, False]


def test_F23_requests_of_two_issuers_that_come_together_are_never_mixed(
    service: Service, rider: Rider
) -> None:
    publish(service.shelf("other"))
    service.look()
    other = f"Bearer {service.key('other')}"
    service.look()

    first, second = rider.ask_all(rider.request(), rider.request(authorization=other))

    assert first is not None
    assert second is not None
    assert first[1]["personalised"]
    assert not second[1]["personalised"]  # there nobody of this id consented


def test_a_plain_request_keeps_its_callers_id_and_trace(rider: Rider) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"

    headers, body = rider.ask(request_id="mine-7", traceparent=trace)

    assert headers["X-Request-Id"] == body["request_id"] == "mine-7"
    assert headers["traceparent"].startswith(f"00-{'a' * 32}-")


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (200, {"query": "limit=4"}),
        (200, {"host": "another.example"}),
        (200, {"deadline_ms": "900"}),
        (422, {"deadline_ms": "soon"}),
        (422, {"deadline_ms": "12345678"}),
        (401, {"authorization": ""}),
        (401, {"authorization": "Bearer rsk_no.key"}),
        (401, {"authorization": "Basic YTpi"}),
        (401, {"query": "api_key=rsk_no"}),
        (404, {"path": "/v1/cardholders/ch_3/recommendation"}),
        (404, {"path": "/v1/cardholders//recommendations"}),
        (422, {"path": "/v1/cardholders/4111111111111111/recommendations"}),
        (422, {"path": f"/v1/cardholders/{'c' * 129}/recommendations"}),
        (404, {"path": f"/v1/cardholders/{'c' * 600}/recommendations"}),
        (422, {"query": "limit=0"}),
        (422, {"query": "unknown=1"}),
    ],
)
def test_what_is_not_plain_or_not_right_is_left_to_flask(
    rider: Rider, status: int, asked: dict[str, str]
) -> None:
    assert rider.ask(**asked) is None
    names = {"deadline_ms": "X-Request-Deadline-Ms", "authorization": "Authorization"}
    sent = {names[name]: value for name, value in asked.items() if name in names}
    where = {name: value for name, value in asked.items() if name in ("path", "query")}
    answer = rider.flask(**where, **sent)
    assert answer.status_code in (status, 422 if "c" * 600 in asked.get("path", "") else status)
    assert answer.headers["X-Request-Id"]


def test_F22_who_waits_long_enough_is_answered_and_who_waited_already_is_not(rider: Rider) -> None:
    fresh = rider.request(deadline_ms="5000")
    waited = fresh._replace(came_at=fresh.came_at - 4.5)

    answers = rider.ask_all(fresh, waited)

    assert answers[0] is not None
    assert answers[1] is None


def test_every_answer_is_counted_once(rider: Rider) -> None:
    before = counted(rider)

    rider.ask_all(*[rider.request() for _ in range(5)])
    rider.ask(authorization="")

    after = counted(rider)
    assert sum(after.values()) - sum(before.values()) == 5


def counted(rider: Rider) -> dict[str, float]:
    """How many lists were counted, by labels."""
    told = rider.flask("/metrics").text.splitlines()
    lists = [line for line in told if line.startswith("recsvc_requests_total{") if "recomm" in line]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lists}


def test_a_rate_holds_for_plain_requests_too(service: Service) -> None:
    publish(service.shelf())
    limited = service.again(rate_limits="rec:read=3/hour", workers=1)
    try:
        limited.look()
        rider = Rider(limited, limited.key("demo"))
        assert rider.flask().status_code == 200

        answers = rider.ask_all(*[rider.request() for _ in range(4)])

        assert [one is not None for one in answers] == [True, True, False, False]
        assert rider.flask().status_code == 429
    finally:
        limited.close()


def test_a_request_that_is_left_to_flask_uses_up_its_rate_once(service: Service) -> None:
    publish(service.shelf())
    limited = service.again(rate_limits="rec:read=4/hour", workers=1)
    try:
        limited.look()
        rider = Rider(limited, limited.key("demo"))
        assert rider.flask().status_code == 200
        wrong = "/v1/cardholders/4111111111111111/recommendations"

        assert rider.ask_all(*[rider.request(wrong) for _ in range(4)]) == [None] * 4
        statuses = [rider.flask(wrong).status_code, rider.flask().status_code]

        assert statuses == [422, 200]
    finally:
        limited.close()


class TestWhenSomethingIsMissing:
    def test_nothing_is_answered_together_while_the_store_is_away(
        self, service: Service, rider: Rider
    ) -> None:
        assert rider.express.is_open
        service.stores.close()
        service.stores.cardholders._durable._is_away = True

        assert not rider.express.is_open

    def test_F02_all_that_is_asked_of_the_store_together_takes_no_longer_than_three_waits(
        self, rider: Rider, service: Service
    ) -> None:
        deadline = service.stores.deadline
        (address, stop) = next(iter(rider.express._stops.items()))
        rider.express._stops[address] = stop._replace(
            view=lambda _, asked: [{"left": deadline.wait(60.0)} for _ in asked]
        )

        (answer,) = rider.ask_all(rider.request())

        waits = 3 * service.services.settings.store_timeout_ms / 1000
        assert answer is not None
        assert 0.0 < answer[1]["left"] <= waits < stop.seconds
        assert deadline.wait(60.0) == 60.0  # and nothing is bounded behind it

    def test_one_list_that_fails_takes_no_other_with_it(self, rider: Rider) -> None:
        answers = rider.ask_all(rider.request(), failing(rider.request()), rider.request())

        assert [one is not None for one in answers] == [True, False, True]


def failing(request: PlainRequest) -> PlainRequest:
    """A request whose id cannot be let in: a number that passes a card's check."""
    return request._replace(path="/v1/cardholders/4111111111111111/recommendations")


@pytest.mark.parametrize("scope", sorted(TELLING))
def test_an_endpoint_whose_answers_are_audited_is_refused(service: Service, scope: str) -> None:
    stop = Stop(
        "/v1/things/<id>/more",
        "id",
        scope,
        CardholderPath,
        QueryPlan.of(Parameters),
        lambda _, __: iter(()),
        1.0,
    )

    with pytest.raises(ValueError, match="audited"):
        Express(
            [stop],
            gate=None,  # type: ignore[arg-type]  # never asked
            deadline=service.stores.deadline,
            teller=None,  # type: ignore[arg-type]
            knows_host=lambda _: True,
            is_away=lambda: False,
            patience_seconds=1.0,
        )
