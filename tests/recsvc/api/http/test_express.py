"""What is plain is answered before Flask, word for word as Flask would; all else is left to it."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from werkzeug.test import EnvironBuilder

from recsvc.api.http.auditing import TELLING
from recsvc.api.http.express import Express, Stop
from recsvc.api.http.parsing import QueryPlan
from recsvc.api.http.schemas import CardholderPath, Parameters
from tests.bundles import publish
from tests.service import Service

LIST = "/v1/cardholders/ch_3/recommendations"
ITS_OWN = ("X-Request-Id", "traceparent", "Content-Length")
Answer = tuple[str, dict[str, str], dict[str, Any]]


@pytest.fixture
def taken_up(service: Service) -> list[str]:
    """Paths that Flask took up, as they come."""
    found: list[str] = []

    def note() -> None:
        from flask import request  # noqa: PLC0415 - of the request that is answered

        found.append(request.path)

    service.app.before_request(note)
    return found


@pytest.fixture
def ask(service: Service, taken_up: list[str]) -> Callable[..., Answer]:
    """Asks as gunicorn would: a GET has no length, where none was sent."""
    publish(service.shelf())
    service.look()
    key = service.key("demo")
    yes = {"personalisation": True, "purpose_version": "1"}
    service.ask("PUT", "/v1/cardholders/ch_3/consent", yes)
    taken_up.clear()

    def asking(path: str = LIST, query: str = "", method: str = "GET", **more: str) -> Answer:
        environ = EnvironBuilder(path=path, query_string=query, method=method).get_environ()
        environ.pop("CONTENT_LENGTH", None)
        environ.pop("CONTENT_TYPE", None)
        environ |= {"HTTP_AUTHORIZATION": f"Bearer {key}", **more}
        told: list[Any] = []

        def start(*head: Any) -> Callable[[bytes], object]:
            told.append(head)
            return lambda _: None

        body = b"".join(service.app(environ, start))
        status, headers = told[0][:2]
        return status, dict(headers), orjson.loads(body) if body else {}

    return asking


def without_chance(answer: Answer) -> Answer:
    """An answer without what is drawn anew for each request."""
    status, headers, body = answer
    kept = {name: value for name, value in headers.items() if name not in ITS_OWN}
    items = [{k: v for k, v in item.items() if k != "serve_token"} for item in body["items"]]
    return status, kept, {**body, "request_id": "", "items": items}


def test_a_plain_request_is_answered_as_flask_would_answer_it(
    ask: Callable[..., Answer], taken_up: list[str]
) -> None:
    learnt = ask(query="limit=3&channel=mobile_app")
    plain = ask(query="limit=3&channel=mobile_app")
    by_flask = ask(query="limit=3&channel=mobile_app", HTTP_X_REQUEST_DEADLINE_MS="9999")

    assert len(taken_up) == 2  # the first, whose query was new, and the last
    assert plain[0] == "200 OK"
    assert without_chance(plain) == without_chance(by_flask) == without_chance(learnt)
    assert {*plain[1]} == {*by_flask[1]}
    assert plain[2]["request_id"] == plain[1]["X-Request-Id"]
    assert plain[1]["X-Request-Id"] != by_flask[1]["X-Request-Id"]


def test_a_plain_request_keeps_its_callers_id_and_trace(ask: Callable[..., Answer]) -> None:
    ask()
    trace = f"00-{'a' * 32}-{'b' * 16}-01"

    _, headers, body = ask(HTTP_X_REQUEST_ID="mine-7", HTTP_TRACEPARENT=trace)

    assert headers["X-Request-Id"] == body["request_id"] == "mine-7"
    assert headers["traceparent"].startswith(f"00-{'a' * 32}-")


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        ("200", {"query": "limit=4"}),
        ("200", {"HTTP_X_REQUEST_DEADLINE_MS": "9999"}),
        ("200", {"CONTENT_LENGTH": "0"}),
        ("200", {"HTTP_TRANSFER_ENCODING": "chunked"}),
        ("200", {"HTTP_HOST": "another.example"}),
        ("200", {"method": "HEAD"}),
        ("401", {"HTTP_AUTHORIZATION": ""}),
        ("401", {"HTTP_AUTHORIZATION": "Bearer rsk_no.key"}),
        ("401", {"query": "api_key=rsk_no"}),
        ("404", {"path": "/v1/cardholders/ch_3/recommendation"}),
        ("404", {"path": "/v1/cardholders//recommendations"}),
        ("405", {"method": "PATCH"}),
        ("422", {"path": "/v1/cardholders/4111111111111111/recommendations"}),
        ("422", {"path": "/v1/cardholders/a b/recommendations"}),
        ("422", {"path": f"/v1/cardholders/{'c' * 129}/recommendations"}),
        ("422", {"query": "limit=0"}),
        ("422", {"query": "unknown=1"}),
    ],
)
def test_what_is_not_plain_or_not_right_is_left_to_flask(
    ask: Callable[..., Answer], taken_up: list[str], status: str, asked: dict[str, str]
) -> None:
    ask()
    before = len(taken_up)

    told, headers, _ = ask(**asked)

    assert len(taken_up) == before + 1 or status in ("404", "405")
    assert told.startswith(status)
    assert headers["X-Request-Id"]


def test_every_answer_is_counted_once(ask: Callable[..., Answer], service: Service) -> None:
    for _ in range(5):
        ask()
    ask(HTTP_AUTHORIZATION="")

    told = service.app.test_client().get("/metrics").text

    counted = [line for line in told.splitlines() if line.startswith("recsvc_requests_total{")]
    lists = {
        line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in counted if "recomm" in line
    }
    assert sorted(lists.values()) == ["1.0", "5.0"], lists


def test_a_rate_holds_for_plain_requests_too(service: Service) -> None:
    publish(service.shelf())
    limited = service.again(rate_limits="rec:read=3/hour", workers=1)
    try:
        limited.look()
        key = limited.key("demo")
        asked = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
        environ = EnvironBuilder(path=LIST).get_environ()
        environ.pop("CONTENT_LENGTH", None)
        statuses: list[str] = []

        def start(status: str, *_: Any) -> Callable[[bytes], object]:
            statuses.append(status[:3])
            return lambda _: None

        for _ in range(5):
            b"".join(limited.app({**environ, **asked}, start))
    finally:
        limited.close()

    assert statuses == ["200", "200", "200", "429", "429"]


@pytest.mark.parametrize("scope", sorted(TELLING))
def test_an_endpoint_whose_answers_are_audited_is_refused(service: Service, scope: str) -> None:
    stop = Stop(
        "/v1/things/<id>/more", "id", scope, CardholderPath, QueryPlan.of(Parameters), dict, 1.0
    )
    known = service.app.wsgi_app

    with pytest.raises(ValueError, match="audited"):
        Express(
            known,
            [stop],
            gate=None,  # type: ignore[arg-type]  # never asked
            deadline=service.stores.deadline,
            teller=None,  # type: ignore[arg-type]
            knows_host=lambda _: True,
        )
