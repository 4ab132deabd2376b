"""Answers that no part of the application gives, as bytes on the wire."""

import itertools
import secrets
from http import HTTPStatus

from gunicorn.http import errors  # type: ignore[import-untyped]

from recsvc.api.http.problems import DETAILS, MEDIA_TYPE, body_of

REFUSED_BYTES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)
NO_ID = "-" * 32
"""Stands for a request's id where an answer is prepared."""


def problem_bytes(
    status: HTTPStatus, code: str, detail: str, request_id: str, *, keep: bool = False
) -> bytes:
    """The answer to a request that no part of the application sees."""
    body = body_of(status.value, code, detail, request_id)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"X-Request-Id: {request_id}\r\nX-Content-Type-Options: nosniff\r\n"
        f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n"
    )
    retry = "Retry-After: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    return f"{head}{retry}\r\n".encode() + body


def status_of(failure: Exception) -> HTTPStatus:
    """What a failure to read a request, or to answer it, is told as."""
    return next(
        (status for kind, status in REFUSED_BYTES if isinstance(failure, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def refused_bytes(status: HTTPStatus) -> bytes:
    """The answer to bytes that are no request."""
    code, detail = DETAILS.get(status, ("bad_request", f"{status.description}."))
    if status is HTTPStatus.BAD_REQUEST:
        detail = f"{detail} An address is ASCII, with every other byte written as %XX."
    return problem_bytes(status, code, detail, secrets.token_hex(16))


class Overloaded:
    """The answer to requests for which there is no room, prepared once.

    Each has an id of its own: a random beginning, and the number of the answer.
    """

    def __init__(self) -> None:
        detail = "More requests than can be answered; retry later."
        self._answers = {
            keep: problem_bytes(
                HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", detail, NO_ID, keep=keep
            )
            for keep in (False, True)
        }
        self._beginning = secrets.token_hex(12)
        self._numbers = itertools.count()

    def answer(self, *, keep: bool) -> bytes:
        """The next answer; whether it says that its connection is kept."""
        request_id = f"{self._beginning}{next(self._numbers) & 0xFFFFFFFF:08x}"
        return self._answers[keep].replace(NO_ID.encode(), request_id.encode())
