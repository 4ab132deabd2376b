"""What every request gets: an id, a trace, safe headers, a counter and perhaps a log line."""

import re
import secrets
import time
from typing import Any

from flask import Flask, Response, g, request

from recsvc.api.problems import ProblemError
from recsvc.domain.identifying import identifying
from recsvc.logs import Log
from recsvc.metrics import Metrics

LONGEST_ADDRESS = 4094
REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
SAFE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
)
STRICT_PAGE = "default-src 'none'; frame-ancestors 'none'"


def install(app: Flask, log: Log, metrics: Metrics, *, access_log: bool) -> None:
    """Wrap every request of this application."""
    app.before_request(_open)

    def close(response: Response) -> Response:
        told, rule = g._get_current_object(), request.url_rule  # noqa: SLF001 - werkzeug's own name
        _finish_headers(response, told)
        seconds = time.perf_counter() - told.started
        route = rule.rule if rule else "unmatched"
        issuer_id = told.get("issuer_id")
        metrics.request(route, _known_method(), response.status_code, issuer_id, seconds)
        if access_log:
            _log_line(log, route, response.status_code, issuer_id, seconds)
        return response

    app.after_request(close)


def _open() -> None:
    told, environ = g._get_current_object(), request.environ  # noqa: SLF001 - werkzeug's own name
    told.started = time.perf_counter()
    given = environ.get("HTTP_X_REQUEST_ID", "")
    told.request_id = given if _may_be_kept(given) else secrets.token_hex(16)
    told.traceparent = continue_trace(environ.get("HTTP_TRACEPARENT", ""))
    if len(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "") > LONGEST_ADDRESS:
        raise ProblemError(414, "uri_too_long", f"The address passes {LONGEST_ADDRESS} bytes.")


def _may_be_kept(request_id: str) -> bool:
    """Whether a caller's id has the form of one and names nobody: it is logged and answered."""
    return bool(REQUEST_ID.fullmatch(request_id)) and identifying(request_id) is None


def continue_trace(traceparent: str) -> str:
    """The caller's trace with a span of our own, or a new trace (W3C Trace Context, level 1)."""
    found = TRACE_PARENT.fullmatch(traceparent)
    is_taken_up = found and found[1] != "0" * 32 and found[2] != "0" * 16
    if found and is_taken_up and identifying(found[1]) is None:
        return f"00-{found[1]}-{secrets.token_hex(8)}-{found[3]}"
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def _finish_headers(response: Response, told: Any) -> None:  # noqa: ANN401 - flask's namespace
    headers = response.headers
    if "Content-Security-Policy" not in headers:
        headers.add("Content-Security-Policy", STRICT_PAGE)
    headers.extend(SAFE_HEADERS)
    headers.add("X-Request-Id", told.request_id)
    headers.add("traceparent", told.traceparent)


def _known_method() -> str:
    known = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
    return request.method if request.method in known else "other"


def _log_line(log: Log, route: str, status: int, issuer_id: str | None, seconds: float) -> None:
    log.info(
        "request",
        request_id=g.request_id,
        trace=g.traceparent,
        method=_known_method(),
        route=route,
        status=status,
        issuer_id=issuer_id,
        milliseconds=round(seconds * 1000, 2),
    )
