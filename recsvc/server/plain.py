"""Plain GET requests as bytes on the wire, and their answers.

What is read here is what gunicorn's own parser would read from the same bytes: one GET without a
body, in the strictest form of HTTP/1.1 (RFC 9112). Everything else is left to that parser, which
also knows what to say of bytes that are no request.
"""

import re
from typing import Any

from gunicorn import SERVER  # type: ignore[import-untyped]
from gunicorn.util import http_date  # type: ignore[import-untyped]

from recsvc.api.http.express import PlainHead, PlainRequest
from recsvc.api.http.lifecycle import PLAIN_HEADERS, Visit

MOST_BYTES = 8190
MOST_HEADERS = 64
REQUEST = re.compile(
    rb"GET (/[A-Za-z0-9._~:@/-]*)(?:\?([!\"$-~]*))? HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n"
)
"""A path without percents, a query without a fragment, headers of printable ASCII, one a line."""
NOT_PLAIN = frozenset(
    (
        *("content-length", "transfer-encoding", "expect", "upgrade", "http2-settings", "trailer"),
        *("x-forwarded-protocol", "x-forwarded-ssl"),
    )
)
"""A request with one of these may have a body, want another protocol, or contradict itself."""


def plain_request(sent: bytes, came_at: float) -> PlainRequest | None:
    """The request that these bytes are, whole and nothing after it; None where it is not plain.

    Parameters
    ----------
    sent : what a connection received
    came_at : when, in seconds of the monotonic clock
    """
    if len(sent) > MOST_BYTES:
        return None
    found = REQUEST.fullmatch(sent)
    if found is None:
        return None
    path, query, lines = found.groups()
    head = _head(lines)
    if head is None:
        return None
    return PlainRequest(path.decode(), (query or b"").decode(), head, came_at)


def _head(lines: bytes) -> PlainHead | None:
    """What header lines say; None where they make a request anything but plain.

    Nothing of them is kept: there are credentials among them.
    """
    given = lines.decode().split("\r\n")[:-1]
    parts = (line.partition(":") for line in given)
    headers = {name.lower(): value.strip() for name, _, value in parts}
    is_plain = (
        "host" in headers
        and len(headers) == len(given) <= MOST_HEADERS
        and headers.get("connection", "keep-alive").lower() == "keep-alive"
        and headers.get("x-request-deadline-ms") != ""
        and NOT_PLAIN.isdisjoint(headers)
    )
    if not is_plain:
        return None
    return PlainHead(
        headers["host"],
        headers.get("authorization", ""),
        headers.get("x-request-id", ""),
        headers.get("traceparent", ""),
        headers.get("x-request-deadline-ms", ""),
    )


def is_read_alike(cfg: Any) -> bool:  # noqa: ANN401 - gunicorn's configuration
    """Whether gunicorn, as it is set up, speaks HTTP/1.1 and takes whatever is plain here."""
    limits = (
        (cfg.limit_request_line, MOST_BYTES),
        (cfg.limit_request_fields, MOST_HEADERS),
        (cfg.limit_request_field_size, MOST_BYTES),
    )
    return (
        not cfg.is_ssl
        and cfg.protocol == "http"
        and "h2" not in cfg.http_protocols
        and cfg.proxy_protocol == "off"
        and all(limit <= 0 or limit >= most for limit, most in limits)  # 0: none, or its own
    )


class PlainAnswers:
    """Writes answers with 200 and a JSON body, as gunicorn would."""

    def __init__(self) -> None:
        self._second = -1
        self._head = b""

    def answer(self, visit: Visit, body: bytes, now: float) -> bytes:
        """Bytes of one answer whose connection is kept; `now` is UNIX time in seconds."""
        if int(now) != self._second:
            self._second, self._head = int(now), _head_at(now)
        own = (
            f"X-Request-Id: {visit.request_id}\r\ntraceparent: {visit.traceparent}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return b"".join((self._head, own.encode(), body))


def _head_at(now: float) -> bytes:
    """What all answers of one second begin with."""
    lines = (
        "HTTP/1.1 200 OK",
        f"Server: {SERVER}",
        f"Date: {http_date(now)}",
        "Connection: keep-alive",
        *(f"{name}: {value}" for name, value in PLAIN_HEADERS),
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
