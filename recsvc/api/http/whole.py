"""The answer that nearly every request gets: 200 and one JSON value, whole."""

from collections.abc import Iterable
from typing import Any

import orjson
from flask import Response
from pydantic import BaseModel

JSON = "application/json"


def dump(document: object) -> bytes:
    """JSON text of an answer; instants in UTC with a Z, models as their fields."""
    return orjson.dumps(document, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError


class Whole(Response):
    """A 200 whose JSON body is there; goes out as it is.

    Werkzeug copies the headers of an answer and looks for those it must mend (places, lengths,
    answers that have no body). Here there is nothing to mend, unless a hook has put something on.

    Parameters
    ----------
    body : JSON text
    """

    def __init__(self, body: bytes) -> None:
        super().__init__([body], content_type=JSON)
        self._length = str(len(body))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - PEP 3333
        """Start the answer and hand out its body; HEAD has none."""
        if environ["REQUEST_METHOD"] == "HEAD" or len(self.headers) > 1:
            return super().__call__(environ, start_response)
        start_response(
            self.status, [*self.headers.to_wsgi_list(), ("Content-Length", self._length)]
        )
        body: Iterable[bytes] = self.response  # type: ignore[assignment]
        return body
