"""What is read as plain says what gunicorn's own parser reads from the same bytes."""

from email.utils import parsedate_to_datetime

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.http.wsgi import default_environ  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from recsvc.api.http.lifecycle import PLAIN_HEADERS, Visit
from recsvc.server.plain import (
    MOST_BYTES,
    MOST_HEADERS,
    PlainAnswers,
    is_read_alike,
    plain_request,
)

LIST = "GET /v1/cardholders/ch_3/recommendations?limit=3 HTTP/1.1"
PLAIN = ("Host: x", "Authorization: Bearer rsk_a.b")
NAMES = (
    *("Host", "Authorization", "X-Request-Id", "traceparent", "Connection", "Accept", "accept"),
    *("Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "X-Forwarded-For", "X_Under"),
    *("X-Forwarded-Proto", "X-Forwarded-Ssl", "Cookie", "Trailer", "X-Request-Deadline-Ms", ""),
)
VALUES = (
    *("x", "", " ", "keep-alive", "close", "0", "5", "chunked", "100-continue", "a, b", "on"),
    *("Bearer k", "a\tb", " padded ", "ä", "a\x0bb", "a\r\n folded", "a\nb", "a\rb", "http", "a:b"),
)
TARGETS = (
    *("/", "/v1/cardholders/c/recommendations", "/a?b=1", "/a%20b", "//a", "/a#b", "/a?b#c", "*"),
    *("http://x/a", "/a?", "/a b", "/ä", "/../a", "/a?x=%20", "/a;b", "/a?b=\x7f", "", "/a\\b"),
)


def sent(*lines: str, first: str = LIST) -> bytes:
    """These lines as they go over the wire."""
    return ("\r\n".join((first, *lines)) + "\r\n\r\n").encode()


def by_gunicorn(request: bytes) -> dict[str, str]:
    """The environment that gunicorn makes of these bytes, as far as answers depend on it."""
    config = Config()
    config.set("forwarded_allow_ips", "*")
    parsed = next(get_parser(config, iter([request]), ("127.0.0.1", 1)))
    assert parsed.body.read() == b""
    environ = default_environ(parsed, None, config)
    told = {name.replace("-", "_"): value for name, value in parsed.headers}
    assert len(told) == len(parsed.headers)
    return {"METHOD": parsed.method, "PATH": parsed.path, "QUERY": environ["QUERY_STRING"], **told}


@given(
    st.sampled_from(("GET", "GET", "GET", "get", "POST", "HEAD", " GET")),
    st.sampled_from(TARGETS),
    st.sampled_from(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1")),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5),
    st.sampled_from(("\r\n\r\n", "\r\n\r\n", "\n\n", "\r\n", "\r\n\r\nGET / HTTP/1.1\r\n\r\n")),
)
@example("GET", "/a", "HTTP/1.1", [("Host", "x"), ("Authorization", "Bearer k")], "\r\n\r\n")
def test_what_is_plain_is_what_gunicorn_reads(
    method: str, target: str, version: str, headers: list[tuple[str, str]], end: str
) -> None:
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers)]
    request = ("\r\n".join(lines) + end).encode()

    plain = plain_request(request, 7.0)

    if plain is None:
        return
    told = by_gunicorn(request)
    assert (told["METHOD"], told["PATH"], told["QUERY"]) == ("GET", plain.path, plain.query)
    assert plain.came_at == 7.0
    assert plain.head == (
        told["HOST"],
        told.get("AUTHORIZATION", ""),
        told.get("X_REQUEST_ID", ""),
        told.get("TRACEPARENT", ""),
        told.get("X_REQUEST_DEADLINE_MS", ""),
    )


def test_what_a_gateway_sends_is_plain() -> None:
    more = (
        *("User-Agent: gateway/1.0 (a; b)", "Accept: */*", "Accept-Encoding: gzip, br"),
        *("X-Forwarded-For: 10.0.0.1, 10.0.0.2", "X-Forwarded-Proto: https"),
        *("Connection: Keep-Alive", "X-Request-Id: r-1", "traceparent: 00-a-b-01"),
    )

    plain = plain_request(sent(*PLAIN, *more, "X-Request-Deadline-Ms: 2000"), 0.0)

    assert plain is not None
    assert plain.path == "/v1/cardholders/ch_3/recommendations"
    assert plain.query == "limit=3"
    assert plain.head == ("x", "Bearer rsk_a.b", "r-1", "00-a-b-01", "2000")


@pytest.mark.parametrize(
    "lines",
    [
        (*PLAIN, "Content-Length: 0"),
        (*PLAIN, "content-length: 5"),
        (*PLAIN, "Transfer-Encoding: chunked"),
        (*PLAIN, "Transfer-Encoding : chunked"),
        (*PLAIN, " Transfer-Encoding: chunked"),
        (*PLAIN, "Expect: 100-continue"),
        (*PLAIN, "Upgrade: h2c"),
        (*PLAIN, "Connection: close"),
        (*PLAIN, "Connection: keep-alive, Upgrade"),
        (*PLAIN, "Host: y"),
        (*PLAIN, "authorization: Bearer other"),
        (*PLAIN, "X_Under: 1"),
        (*PLAIN, "X-Forwarded-Ssl: on"),
        (*PLAIN, "X-Request-Deadline-Ms:"),
        (*PLAIN, "A: b\nTransfer-Encoding: chunked"),
        (*PLAIN, "A: b\rTransfer-Encoding: chunked"),
        (*PLAIN, "A: \x00"),
        (*PLAIN, "A: ä"),
        (*PLAIN, "no colon"),
        (*PLAIN, ": nameless"),
        PLAIN[1:],
        (*PLAIN, *(f"X-{number}: 1" for number in range(MOST_HEADERS))),
        (*PLAIN, f"X-Long: {'a' * MOST_BYTES}"),
        (),
    ],
)
def test_F48_what_may_be_read_in_two_ways_is_not_plain(lines: tuple[str, ...]) -> None:
    assert plain_request(sent(*PLAIN), 0.0) is not None
    assert plain_request(sent(*lines), 0.0) is None


@pytest.mark.parametrize(
    "first",
    [
        "GET /a%2Fb HTTP/1.1",
        "GET http://x/a HTTP/1.1",
        "GET /a HTTP/1.0",
        "GET  /a HTTP/1.1",
        "GET /a  HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "HEAD /a HTTP/1.1",
        "get /a HTTP/1.1",
        "GET a HTTP/1.1",
        "\r\nGET /a HTTP/1.1",
    ],
)
def test_F48_first_lines_of_other_forms_are_not_plain(first: str) -> None:
    assert plain_request(sent(*PLAIN, first=first), 0.0) is None


def test_F48_two_requests_at_once_and_half_a_request_are_not_plain() -> None:
    whole = sent(*PLAIN)

    assert plain_request(whole + whole, 0.0) is None
    assert all(plain_request(whole[:size], 0.0) is None for size in range(len(whole)))


def test_the_longest_plain_request_has_as_many_bytes_as_it_says() -> None:
    size = len(sent(*PLAIN, "X-Long: "))

    assert plain_request(sent(*PLAIN, f"X-Long: {'a' * (MOST_BYTES - size)}"), 0.0) is not None
    assert plain_request(sent(*PLAIN, f"X-Long: {'a' * (MOST_BYTES - size + 1)}"), 0.0) is None


@pytest.mark.parametrize(
    ("setting", "value", "is_alike"),
    [
        ("limit_request_line", 8190, True),
        ("limit_request_line", 0, True),
        ("limit_request_line", 4094, False),
        ("limit_request_fields", 100, True),
        ("limit_request_fields", 20, False),
        ("limit_request_field_size", 0, True),
        ("limit_request_field_size", 1000, False),
        ("protocol", "uwsgi", False),
        ("proxy_protocol", "auto", False),
        ("http_protocols", "h1,h2", False),
        ("certfile", __file__, False),
    ],
)
def test_F48_what_gunicorn_would_refuse_or_read_otherwise_is_left_to_it(
    setting: str, value: object, is_alike: bool
) -> None:
    config = Config()
    for name in ("limit_request_line", "limit_request_field_size"):
        config.set(name, MOST_BYTES)
    config.set(setting, value)

    assert is_read_alike(config) == is_alike


def test_an_answer_is_whole_and_dated_and_says_what_every_answer_says() -> None:
    answers = PlainAnswers()
    visit = Visit(0.0, "r-1", "00-a-b-00")

    first = answers.answer(visit, b"{}", 1_700_000_000.9)
    later = answers.answer(visit, b'{"a":1}', 1_700_000_001.0)

    head, _, body = later.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert (status, body) == ("HTTP/1.1 200 OK", '{"a":1}')
    assert headers.items() >= dict(PLAIN_HEADERS).items()
    assert headers["Content-Length"] == "7"
    assert (headers["X-Request-Id"], headers["traceparent"]) == visit[1:]
    assert parsedate_to_datetime(headers["Date"]).timestamp() == 1_700_000_001
    assert b"22:13:20 GMT" in first
