"""An answer that goes out as it is says the same as Werkzeug's own."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response

from recsvc.api.http.whole import JSON, Whole

BODY = '{"名":"值"}'.encode()
Hook = Callable[[Response], Response]


def as_it_is(response: Response) -> Response:
    return response


def with_a_header(response: Response) -> Response:
    response.headers["ETag"] = '"1"'
    return response


def with_another_body(response: Response) -> Response:
    response.set_data(b"[]")
    return response


def with_another_status(response: Response) -> Response:
    response.status_code = 202
    return response


def said(answer: Response, method: str, hook: Hook) -> tuple[Any, ...]:
    """Status, headers and body of an answer behind a hook, as a client gets them."""
    app = Flask("one")
    app.add_url_rule("/", "one", lambda: answer)
    app.after_request(hook)
    given = app.test_client().open("/", method=method)
    return given.status, sorted(given.headers), given.data


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("hook", [as_it_is, with_a_header, with_another_body, with_another_status])
def test_it_is_what_an_ordinary_response_is(method: str, hook: Hook) -> None:
    ordinary = said(Response(BODY, 200, content_type=JSON), method, hook)

    assert said(Whole(BODY), method, hook) == ordinary
