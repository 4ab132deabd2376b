"""The plain requests of the busiest endpoints, answered before Flask takes them up.

A gateway asks for lists in the same few forms, and for those Flask's contexts, adapters and
responses cost as much as a quarter of the answer. What is plain is answered here: a GET of a known
address with a query that was read before, from a known host, by somebody who is let in, without a
deadline of his own. Everything else, and whatever goes wrong, is left to Flask from its beginning,
so there is one place that refuses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from recsvc.api.http.auditing import TELLING
from recsvc.api.http.auth import Caller, Gate, token_of
from recsvc.api.http.lifecycle import PLAIN_HEADERS, Environ, Teller, Visit
from recsvc.api.http.parsing import QueryPlan, check
from recsvc.api.http.screening import refuse_words
from recsvc.api.http.whole import dump
from recsvc.stores.connection.deadline import Deadline

Application = Callable[[Environ, Any], Iterable[bytes]]
UNUSUAL = (
    "CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_X_REQUEST_DEADLINE_MS",
)
"""A request with one of these is not plain."""
LONGEST_PATH = 512


class Stop(NamedTuple):
    """An endpoint of the form GET /first/things/<id>/more.

    Parameters
    ----------
    rule : address in Flask's form
    name : what the id is called
    scope : which callers may use it
    path : model of the id
    queries : the queries that were read
    view : answers the caller's path, query and request id with a JSON value
    seconds : how long it may take with what it asks of the stores
    """

    rule: str
    name: str
    scope: str
    path: type[BaseModel]
    queries: QueryPlan
    view: Callable[..., object]
    seconds: float


class Express:
    """Answers plain requests; hands every other to the application behind it.

    Parameters
    ----------
    inner : the whole application
    stops : endpoints
    gate : who may enter
    deadline : of the answering thread
    teller : counts and logs answers
    knows_host : whether requests that name a host were let in before
    """

    def __init__(
        self,
        inner: Application,
        stops: Iterable[Stop],
        *,
        gate: Gate,
        deadline: Deadline,
        teller: Teller,
        knows_host: Callable[[str | None], bool],
    ) -> None:
        self._inner = inner
        self._gate = gate
        self._deadline = deadline
        self._teller = teller
        self._knows_host = knows_host
        self._stops: dict[tuple[str, str, str], Stop] = {}
        for stop in stops:
            if stop.scope in TELLING:
                raise ValueError(f"{stop.rule}: answers of the scope {stop.scope} are audited")
            _, first, things, _, more = stop.rule.split("/", 4)
            self._stops[first, things, more] = stop

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - PEP 3333
        """Answer a request, here or behind."""
        try:
            answer = self._answer(environ)
        except Exception:  # noqa: BLE001 - refused, or gone wrong: there it is told how
            answer = None
        if answer is None:
            return self._inner(environ, start_response)
        headers, body = answer
        start_response("200 OK", headers)
        return [body]

    def _answer(self, environ: Environ) -> tuple[list[tuple[str, str]], bytes] | None:
        """Headers and body for a plain request; None for another; raises what refuses it."""
        found = self._stop(environ)
        if found is None:
            return None
        stop, segments = found
        query = stop.queries.known.get(environ["QUERY_STRING"])
        if query is None:
            return None
        visit = Visit.of(environ)
        caller = self._gate.let_in(token_of(environ.get("HTTP_AUTHORIZATION", "")), stop.scope)
        refuse_words(segments.items(), "path")
        path = check(stop.path, segments, "path")
        body = self._body(stop, caller, path, query, visit)
        self._teller.tell(visit, stop.rule, "GET", 200, caller.issuer_id)
        length = ("Content-Length", str(len(body)))
        return [*PLAIN_HEADERS, *visit.headers, length], body

    def _stop(self, environ: Environ) -> tuple[Stop, Mapping[str, str]] | None:
        """The endpoint of a plain request and the id in its address."""
        if environ["REQUEST_METHOD"] != "GET" or any(name in environ for name in UNUSUAL):
            return None
        path = environ["PATH_INFO"]
        parts = path.split("/", 4)
        if len(parts) < 5 or len(path) > LONGEST_PATH:
            return None
        stop = self._stops.get((parts[1], parts[2], parts[4]))
        if stop is None or not self._knows_host(environ.get("HTTP_HOST")):
            return None
        return stop, {stop.name: parts[3]}

    def _body(
        self, stop: Stop, caller: Caller, path: BaseModel, query: BaseModel, visit: Visit
    ) -> bytes:
        """The answer as JSON, within the endpoint's budget."""
        self._deadline.begin(stop.seconds)
        try:
            document = stop.view(caller, path=path, query=query, request_id=visit.request_id)
        finally:
            self._deadline.end()
        return dump(document)
