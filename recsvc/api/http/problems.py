"""One error body for everything that goes wrong, and one table from error to status.

Bodies follow RFC 9457 and never repeat what the caller sent.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, g, request
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from recsvc.domain.errors import (
    ConflictError,
    DomainError,
    InvalidError,
    NotFoundError,
    NothingToServeError,
    RevisionMismatchError,
    StoreAwayError,
    StoreFullError,
)
from recsvc.logs import Log

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"


class FieldFault(BaseModel):
    """One wrong field: where it is, one word and one sentence about it."""

    pointer: str = Field(description="JSON pointer into the body, or query/, path/, header/ + name")
    code: str
    message: str


class Problem(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="the request id")
    code: str
    errors: list[FieldFault] = []


class ProblemError(Exception):
    """An error of the conversation itself: credentials, media types, wrong fields.

    Parameters
    ----------
    status : HTTP status
    code : one word for programs
    detail : one sentence for people, without input
    errors : the wrong fields
    headers : headers that go with the answer
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldFault, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class _Row:
    status: int
    code: str
    detail: str


TABLE: dict[type[DomainError], _Row] = {
    NotFoundError: _Row(404, "not_found", "No such thing for this issuer."),
    ConflictError: _Row(409, "conflict", "The present state forbids this."),
    RevisionMismatchError: _Row(
        412, "revision_mismatch", "It changed since it was read; read it again and retry."
    ),
    InvalidError: _Row(422, "invalid", "A value makes no sense here; see errors."),
    StoreFullError: _Row(503, "store_full", "The store takes no more at present; retry later."),
    StoreAwayError: _Row(503, "store_unavailable", "The store gave no answer; retry later."),
    NothingToServeError: _Row(503, "no_catalog", "No catalogue is loaded yet; retry later."),
}
DETAILS = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is no such address; /docs lists them. No id holds a slash."),
    405: ("method_not_allowed", "This method is not offered here; see the Allow header."),
    408: ("timeout", "The request came too slowly."),
    413: ("body_too_large", "The body is larger than this endpoint takes."),
    414: ("uri_too_long", "The address is longer than 4094 bytes."),
    415: ("unsupported_media_type", "Send application/json without Content-Encoding."),
    500: ("internal_error", "Something broke on our side; quote the instance when reporting it."),
}


def install(app: Flask, log: Log) -> None:
    """Answer every error of this application in the one form."""
    app.register_error_handler(ProblemError, _answer_problem)
    app.register_error_handler(DomainError, answer_domain)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, lambda error: _answer_bug(error, log))


def response(
    status: int,
    code: str,
    detail: str,
    *,
    errors: tuple[FieldFault, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer for one problem."""
    body = body_of(status, code, detail, g.get("request_id", ""), errors)
    return Response(body, status, headers, content_type=MEDIA_TYPE)


def body_of(
    status: int, code: str, detail: str, request_id: str, errors: Sequence[FieldFault] = ()
) -> bytes:
    """The body of one problem, whoever answers it."""
    document: dict[str, Any] = {
        "type": f"urn:recsvc:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request_id,
        "code": code,
        "errors": [fault.model_dump() for fault in errors],
    }
    return orjson.dumps(document)


def _answer_problem(error: ProblemError) -> Response:
    return response(
        error.status, error.code, error.detail, errors=error.errors, headers=error.headers
    )


def answer_domain(error: DomainError) -> Response:
    """The answer for an error of a decision, by the table."""
    row = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    headers = {"Retry-After": RETRY_SECONDS} if row.status == 503 else {}
    if isinstance(error, InvalidError):
        fault = FieldFault(pointer=error.pointer, code=row.code, message=str(error))
        return response(row.status, row.code, row.detail, errors=(fault,))
    if isinstance(error, ConflictError):
        return response(row.status, error.code, str(error))
    return response(row.status, row.code, row.detail, headers=headers)


def _answer_http(error: HTTPException) -> Response:
    if error.response is not None and error.code is None:
        return response(500, *DETAILS[500])
    status = error.code or 500
    if 300 <= status < 400:
        status = 404  # an address that is only nearly right is not right
    code, detail = DETAILS.get(status, ("http_error", HTTPStatus(status).description + "."))
    allow = dict(error.get_headers(request.environ)).get("Allow")
    return response(status, code, detail, headers={"Allow": allow} if allow else None)


def _answer_bug(error: Exception, log: Log) -> Response:
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-6:]]
    log.error(
        "unexpected_error",
        request_id=g.get("request_id"),
        route=request.url_rule.rule if request.url_rule else None,
        kind=type(error).__name__,
        where=where,
    )
    return response(500, *DETAILS[500])
