"""From a request to frozen models, or to one error that names each wrong field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from recsvc.api.http.json_text import not_json, read_json
from recsvc.api.http.problems import FieldFault, ProblemError
from recsvc.api.http.schemas import Body
from recsvc.api.http.screening import refuse_words, safe_step, screen

Model = TypeVar("Model", bound=BaseModel)
OWN_MESSAGES = {
    "extra_forbidden": ("unknown_field", "There is no such field; remove it."),
    "union_tag_invalid": ("unknown_kind", "Not one of the known kinds."),
    "missing": ("missing", "This field is required."),
}
COUNTED = re.compile(
    r"(?:Tuple|List) should have (at (?:least|most) [0-9]+ items?) after validation.*"
)
KEY_STEP = "[key]"
"""What pydantic adds to the way to a key that is wrong itself."""
MOST_FAULTS = 20
MOST_QUERIES = 256
LONGEST_KEPT_QUERY = 512


def faults_of(error: ValidationError, place: str = "") -> tuple[FieldFault, ...]:
    """Each wrong field, without what was sent.

    A list is not called too short because of items that are wrong themselves.

    Parameters
    ----------
    error : what pydantic found
    place : put before each pointer: "" for a body, else "query", "path" or "header"
    """
    found = error.errors(include_url=False, include_input=False, include_context=False)
    within = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    told = [one for one in found if one["type"] != "too_short" or one["loc"] not in within]
    return tuple(_fault(one["type"], one["loc"], one["msg"], place) for one in told[:MOST_FAULTS])


def _fault(kind: str, location: Sequence[int | str], message: str, place: str) -> FieldFault:
    code, own = OWN_MESSAGES.get(kind, (kind, message))
    steps = (safe_step(step) for step in location if step != KEY_STEP)
    own = COUNTED.sub(r"Array should have \1", own).removeprefix("Value error, ")
    return FieldFault(pointer="/".join((place, *steps)), code=code, message=own)


def refuse(faults: tuple[FieldFault, ...]) -> ProblemError:
    """The error for wrong fields."""
    detail = "One or more values are not acceptable; see errors."
    return ProblemError(422, "invalid_request", detail, errors=faults)


def check(model: type[Model], values: object, place: str) -> Model:
    """Model of values that are already decoded; 422 names each wrong one."""
    try:  # as `model_validate`, without its own layer
        checked: Model = model.__pydantic_validator__.validate_python(values)
    except ValidationError as error:
        raise refuse(faults_of(error, place)) from None
    return checked


def read_body(request: Request, limit_bytes: int, media_types: tuple[str, ...]) -> bytes:
    """The whole body, of at most so many bytes.

    Raises
    ------
    ProblemError
        413 as soon as the limit is passed, 415 for another media type or an encoded body, 400 for
        chunks that are none
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError(415, "content_encoding", "Send the body without Content-Encoding.")
    if request.mimetype not in media_types or not _is_utf8(request):
        raise ProblemError(
            415, "unsupported_media_type", f"Send {' or '.join(media_types)} in UTF-8."
        )
    request.max_content_length = limit_bytes + 1  # a chunked body is cut there without an error
    try:
        body = request.get_data(cache=False)
    except ParseException:  # the server closes the connection behind it: what follows is no request
        raise ProblemError(400, "bad_request", "The body's chunks cannot be read.") from None
    if len(body) > limit_bytes:
        raise RequestEntityTooLarge
    return body


def _is_utf8(request: Request) -> bool:
    return request.mimetype_params.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def parse_json(model: type[Model], body: bytes) -> Model:
    """Model of a JSON body.

    Raises
    ------
    ProblemError
        400 when it is not one JSON value in UTF-8 with each key once; 422 for numbers that name a
        person, and for wrong fields
    """
    try:
        if issubclass(model, Body):
            return model.of_json(body)
        screen(body, read_json(body))
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = faults_of(error)
        if faults and faults[0].code == "json_invalid":
            raise not_json() from None
        raise refuse(faults) from None


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """How to read a query string into a model; made once, when the route is."""

    model: type[BaseModel]
    lists: frozenset[str]
    known: dict[str, BaseModel] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, model: type[BaseModel]) -> "QueryPlan":
        """Plan for a model; its tuple and list fields may be repeated."""
        fields = model.model_fields.items()
        return cls(model, frozenset(name for name, field in fields if _is_list(field.annotation)))

    def read(self, request: Request) -> BaseModel:
        """Model of this request's query; 422 for unknown, repeated or wrong parameters.

        An app asks with the same few queries for everyone, so those read lately are kept.
        """
        asked = request.environ.get("QUERY_STRING", "")
        found = self.known.get(asked)
        if found is None:
            found = self._read(request)
            if len(self.known) >= MOST_QUERIES:
                self.known.clear()
            if len(asked) <= LONGEST_KEPT_QUERY:
                self.known[asked] = found
        return found

    def _read(self, request: Request) -> BaseModel:
        values: dict[str, object] = {}
        refuse_words(request.args.items(multi=True), "query")
        for name, given in request.args.lists():
            if name in self.lists:
                values[name] = given
            elif len(given) > 1:
                raise refuse((_repeated(name),))
            else:
                values[name] = given[0]
        return check(self.model, values, "query")


def _repeated(name: str) -> FieldFault:
    pointer = f"query/{safe_step(name)}"
    return FieldFault(pointer=pointer, code="repeated", message="May be given once.")


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - any type expression
    if get_origin(annotation) in (list, tuple):
        return True
    return any(_is_list(part) for part in get_args(annotation))


def read_headers(model: type[Model], request: Request) -> Model:
    """Model of the headers it names; 422 for a wrong one."""
    values = {
        name: request.headers[title]
        for name in model.model_fields
        if (title := name.replace("_", "-")) in request.headers
    }
    return check(model, values, "header")
