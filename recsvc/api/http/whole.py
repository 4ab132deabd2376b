"""The answer that nearly every request gets: 200 and one JSON value, whole."""

from collections.abc import Iterable
from typing import Any

from flask import Response

JSON = "application/json"


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
