"""How a view becomes an endpoint: let in, parse, ask once, render.

A view is a plain function. Its first parameter is the caller; further ones are named `path`,
`query`, `header` or `body` and annotated with the model they are parsed into, `raw` for bytes, or
`request_id` for the request's own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, get_type_hints

from flask import Flask, Request, Response, g
from flask.globals import request_ctx
from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel

from recsvc.api.http.auth import Gate
from recsvc.api.http.budgets import Budget, Budgets
from recsvc.api.http.express import Stop, TogetherView
from recsvc.api.http.lifecycle import refuse_late
from recsvc.api.http.parsing import QueryPlan, check, parse_json, read_body, read_headers
from recsvc.api.http.problems import MEDIA_TYPE
from recsvc.api.http.screening import refuse_words
from recsvc.api.http.whole import JSON, Whole, dump

NDJSON = "application/x-ndjson"
View = Callable[..., Any]
REFUSALS = (400, 401, 403, 404, 413, 414, 415, 422, 429, 500, 503, 504)
DOCUMENTED = ("path", "query", "header", "body")


class Rendered:
    """An answer that is more than a 200 with a JSON body.

    Parameters
    ----------
    document : JSON value; None for no body
    status : HTTP status
    headers : headers of the answer
    """

    __slots__ = ("document", "headers", "status")

    def __init__(
        self, document: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.document = document
        self.status = status
        self.headers = headers


def render(answer: object) -> Response:
    """Response of a view's answer: a JSON value, a Rendered, or a Response as it is."""
    if isinstance(answer, Response):
        return answer
    if not isinstance(answer, Rendered):
        return Whole(dump(answer))
    body = b"" if answer.document is None else dump(answer.document)
    return Response(body, answer.status, answer.headers, content_type=JSON)


class Routes:
    """Endpoints of one resource that are let in, parsed and rendered alike.

    Parameters
    ----------
    name : of the resource
    gate : who may enter
    body_limit_bytes : largest body, unless an endpoint says otherwise
    """

    def __init__(self, name: str, gate: Gate, body_limit_bytes: int) -> None:
        self._name = name
        self._endpoints: list[_Endpoint] = []
        self._stops: list[Callable[[Budgets], Stop]] = []
        self._gate = gate
        self._body_limit_bytes = body_limit_bytes

    def add(  # noqa: PLR0913 - an endpoint is described by name, in one place
        self,
        method: str,
        rule: str,
        view: View,
        *,
        scope: str,
        answers: dict[int, Any],
        budget: Budget = Budget.STEADY,
        more: tuple[int, ...] = (),
        body_limit_bytes: int | None = None,
        raw_media_type: str | None = None,
        together: TogetherView | None = None,
    ) -> None:
        """Offer a view at an address to callers with a scope.

        Parameters
        ----------
        method : HTTP method
        rule : address in Flask's form
        view : see the module
        scope : which callers may use it
        answers : model of each answer that is not an error, by status
        budget : how long it may take with what it asks of the stores
        more : errors it may answer with besides the ones of every endpoint
        body_limit_bytes : largest body, when it differs
        raw_media_type : media type of a `raw` body
        together : answers its plain requests before Flask takes them up, many at a time; for a GET
            of /first/things/<id>/more that reads path, query and request id
        """
        limit = body_limit_bytes or self._body_limit_bytes
        parse = _Parser(view, limit, raw_media_type)
        gate = self._gate

        def endpoint(**segments: str) -> Response:
            asked = request_ctx.request
            told = g._get_current_object()  # noqa: SLF001 - werkzeug's own name
            caller = gate.admit(asked, scope)
            told.issuer_id, told.credential_id = caller.issuer_id, caller.credential_id
            arguments = parse.arguments(asked, segments)
            refuse_late()
            return render(view(caller, **arguments))

        _describe_like(view, endpoint)
        name = re.sub(r"\W+", "_", f"{method.lower()}{rule}").strip("_")
        words = {
            "responses": _answers(answers, more),
            "openapi_extensions": {
                "x-scope": scope,
                "x-budget": budget.value,
                **_raw_body(raw_media_type),
            },
        }
        self._endpoints.append(_Endpoint(name, method, rule, endpoint, budget, words))
        if together is not None:
            self._stops.append(partial(parse.stop, rule, scope, budget, together))

    def stops(self, budgets: Budgets) -> Iterator[Stop]:
        """The endpoints whose plain requests are answered before Flask takes them up."""
        for stop in self._stops:
            yield stop(budgets)

    def serve_on(self, app: Flask, budgets: Budgets) -> None:
        """Offer the endpoints on an application, each within its budget."""
        for one in self._endpoints:
            view = budgets.within(one.budget, one.view)
            app.add_url_rule(one.rule, one.name, view, methods=[one.method])

    def described(self, groups: Mapping[str, str]) -> APIBlueprint:
        """The same endpoints as a blueprint that knows how to document itself; not to be served.

        Parameters
        ----------
        groups : what the endpoints of each resource are for, by its name
        """
        group = {"name": self._name, "description": groups[self._name]}
        security: list[dict[str, list[str]]] = [{"key": []}]
        blueprint = APIBlueprint(self._name, __name__, abp_tags=[group], abp_security=security)
        for one in self._endpoints:
            register = getattr(blueprint, one.method.lower())
            names = {"endpoint": one.name, "operation_id": one.name}
            register(one.rule, **names, **one.words)(one.view)
        return blueprint


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One endpoint: how it is called, and the words for its documentation."""

    name: str
    method: str
    rule: str
    view: Callable[..., Response]
    budget: Budget
    words: dict[str, Any]


def _describe_like(view: View, endpoint: Any) -> None:  # noqa: ANN401 - a function gains attributes
    """Give the endpoint the view's name, words and models, and keep the parsing ours."""
    hints = get_type_hints(view)
    endpoint.__name__ = endpoint.__qualname__ = view.__name__
    endpoint.__doc__ = view.__doc__
    endpoint.__annotations__ = {name: hints[name] for name in DOCUMENTED if name in hints}
    endpoint.__delay_validate_request__ = True


def _raw_body(media_type: str | None) -> dict[str, Any]:
    """How the OpenAPI document describes a body that is not one JSON value."""
    if media_type is None:
        return {}
    content = {media_type: {"schema": {"type": "string"}}}
    return {"requestBody": {"content": content, "required": True}}


def _answers(answers: dict[int, Any], more: tuple[int, ...]) -> dict[str, Any]:
    documented: dict[str, Any] = {str(status): model for status, model in answers.items()}
    for status in (*REFUSALS, *more):
        documented.setdefault(str(status), problem_answer(status))
    return documented


def problem_answer(status: int) -> dict[str, Any]:
    """How the OpenAPI document describes one error; `Problem` is among its components."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


class _Parser:
    """Arguments of a view from a request; what there is to read is settled once."""

    def __init__(self, view: View, limit_bytes: int, raw_media_type: str | None) -> None:
        hints = get_type_hints(view)
        self._path = hints.get("path")
        self._header = hints.get("header")
        self._body = hints.get("body")
        self._query = QueryPlan.of(hints["query"]) if "query" in hints else NO_QUERY
        self._hands_query = "query" in hints
        self._limit_bytes = limit_bytes
        self._raw_media_type = raw_media_type
        self._hands_request_id = "request_id" in hints

    def stop(
        self, rule: str, scope: str, budget: Budget, view: TogetherView, budgets: Budgets
    ) -> Stop:
        """What answers the same requests before Flask takes them up."""
        if self._path is None or self._body is not None or self._header is not None:
            raise TypeError(f"{rule}: a busy endpoint reads its path, query and request id alone")
        (name,) = re.findall(r"<(\w+)>", rule)
        seconds = budgets.seconds_of(budget)
        return Stop(rule, name, scope, self._path, self._query, view, seconds)

    def arguments(self, asked: Request, segments: dict[str, str]) -> dict[str, Any]:
        """Arguments by name; one error that names each wrong field."""
        arguments: dict[str, Any] = {}
        if self._path is not None:
            refuse_words(segments.items(), "path")
            arguments["path"] = check(self._path, segments, "path")
        query = self._query.read(asked)
        if self._hands_query:
            arguments["query"] = query
        if self._header is not None:
            arguments["header"] = read_headers(self._header, asked)
        if self._raw_media_type is not None:
            arguments["raw"] = read_body(asked, self._limit_bytes, (self._raw_media_type,))
        elif self._body is not None:
            body = read_body(asked, self._limit_bytes, (JSON,))
            arguments["body"] = parse_json(self._body, body)
        if self._hands_request_id:
            arguments["request_id"] = g.request_id
        return arguments


class _NoParameters(BaseModel, extra="forbid"):
    """The query of an endpoint that takes none."""


NO_QUERY = QueryPlan.of(_NoParameters)
