"""What every request gets: an id, a trace, safe headers, a counter and perhaps a log line."""

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from flask import Flask, Response, g, request
from flask.globals import request_ctx

from embeddings.identifying import identifying
from recsvc.api.http.problems import FieldFault, ProblemError
from recsvc.api.http.rates import ProbeWatch
from recsvc.logs import Log
from recsvc.metrics import Metrics

LONGEST_ADDRESS = 4094
WAITED = "recsvc.waited_seconds"
"""Where the server tells how long a request waited before it was given a thread."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
DRAWN_BYTES = 40
"""Chance of one request: 16 bytes for its id, 8 for its span, 16 for its trace."""
SAFE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
)
POLICY = "Content-Security-Policy"
TOLD = "recsvc.headers"
"""Where a request's environment holds the headers of its answer."""
Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
STRICT_PAGE = "default-src 'none'; frame-ancestors 'none'"


PLAIN_HEADERS = (("Content-Type", "application/json"), (POLICY, STRICT_PAGE), *SAFE_HEADERS)
"""What every answer in JSON says."""


class Visit(NamedTuple):
    """One request: when it came, and what it and its trace are called."""

    started: float
    request_id: str
    traceparent: str

    @classmethod
    def of(cls, request_id: str, traceparent: str) -> Self:
        """The visit of a request that is just taken up.

        Parameters
        ----------
        request_id, traceparent : as they were sent, kept where they are good; empty where not sent
        """
        drawn = os.urandom(DRAWN_BYTES).hex()
        kept = request_id if _may_be_kept(request_id) else drawn[:32]
        return cls(time.perf_counter(), kept, continue_trace(traceparent, drawn[32:]))

    @property
    def headers(self) -> Headers:
        """What its answer says of it."""
        return [("X-Request-Id", self.request_id), ("traceparent", self.traceparent)]


@dataclass(frozen=True, slots=True)
class Teller:
    """Counts answers, and logs them if the operator wants each."""

    log: Log
    metrics: Metrics
    access_log: bool

    def tell(
        self, visit: Visit, route: str, method: str, status: int, issuer_id: str | None
    ) -> None:
        """Tell of one answer; `issuer_id` only when a credential proved it."""
        seconds = time.perf_counter() - visit.started
        self.metrics.request(route, method, status, issuer_id, seconds)
        if self.access_log:
            self.log.info(
                "request",
                request_id=visit.request_id,
                trace=visit.traceparent,
                method=method,
                route=route,
                status=status,
                issuer_id=issuer_id,
                milliseconds=round(seconds * 1000, 2),
            )


def install(app: Flask, teller: Teller, probes: ProbeWatch) -> None:
    """Wrap every request of this application."""
    app.before_request(_open)

    def close(response: Response) -> Response:
        told, asked = g._get_current_object(), request_ctx.request  # noqa: SLF001 - werkzeug's own
        route = asked.url_rule.rule if asked.url_rule else "unmatched"
        method = asked.method if asked.method in KNOWN_METHODS else "other"
        teller.tell(told.visit, route, method, response.status_code, told.get("issuer_id"))
        if response.status_code in (403, 404) and "credential_id" in told:
            probes.missed(told.credential_id)
        return response

    app.after_request(close)
    app.wsgi_app = _with_headers(app.wsgi_app)  # type: ignore[method-assign, assignment]


def _with_headers(inner: Application) -> Application:
    """Put the headers of every answer on as it leaves, where it costs least."""

    def application(environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - PEP 3333
        def start(status: str, headers: Headers, *more: Any) -> Any:  # noqa: ANN401 - PEP 3333
            return start_response(status, [*headers, *_further(environ, headers)], *more)

        return inner(environ, start)

    return application


def _open() -> None:
    told, environ = g._get_current_object(), request.environ  # noqa: SLF001 - werkzeug's own name
    visit = told.visit = Visit.of(
        environ.get("HTTP_X_REQUEST_ID", ""), environ.get("HTTP_TRACEPARENT", "")
    )
    told.request_id = visit.request_id
    environ[TOLD] = visit.headers
    deadline_ms = environ.get("HTTP_X_REQUEST_DEADLINE_MS")
    if deadline_ms is not None:
        waited = environ.get(WAITED, 0.0)
        told.give_up_at = visit.started - waited + deadline_seconds(deadline_ms)
        refuse_late()
    if len(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "") > LONGEST_ADDRESS:
        raise ProblemError(414, "uri_too_long", f"The address passes {LONGEST_ADDRESS} bytes.")


def deadline_seconds(text: str) -> float:
    """Seconds that a caller still waits; 422 unless it says so in whole milliseconds."""
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        fault = FieldFault(
            pointer="header/x_request_deadline_ms",
            code="bad_deadline",
            message="Send whole milliseconds, 0 to 999999, or leave it out.",
        )
        raise ProblemError(
            422, "invalid_request", "A header is wrong; see errors.", errors=(fault,)
        )
    return int(text) / 1000


def refuse_late() -> None:
    """Refuse to work for a caller who no longer waits; 504 when his deadline has passed."""
    give_up_at = g.get("give_up_at")
    if give_up_at is not None and time.perf_counter() >= give_up_at:
        raise ProblemError(504, "deadline_passed", "X-Request-Deadline-Ms has passed.")


def _may_be_kept(request_id: str) -> bool:
    """Whether a caller's id has the form of one and names nobody: it is logged and answered."""
    return (
        request_id != ""
        and bool(REQUEST_ID.fullmatch(request_id))
        and identifying(request_id) is None
    )


def continue_trace(traceparent: str, drawn: str) -> str:
    """The caller's trace with a span of our own, or a new trace (W3C Trace Context, level 1).

    Parameters
    ----------
    traceparent : as it was sent; empty when it was not
    drawn : 48 hexadecimal digits by chance, for a span and a trace
    """
    found = TRACE_PARENT.fullmatch(traceparent) if traceparent else None
    is_taken_up = found and found[1] != "0" * 32 and found[2] != "0" * 16
    if found and is_taken_up and identifying(found[1]) is None:
        return f"00-{found[1]}-{drawn[:16]}-{found[3]}"
    return f"00-{drawn[16:]}-{drawn[:16]}-00"


def _further(environ: Environ, headers: Headers) -> Headers:
    """Headers that an answer still lacks; a page with a policy of its own keeps it."""
    own = environ.get(TOLD, [])
    has_policy = any(name == POLICY for name, _ in headers)
    return [*SAFE_HEADERS, *own] if has_policy else [(POLICY, STRICT_PAGE), *SAFE_HEADERS, *own]
