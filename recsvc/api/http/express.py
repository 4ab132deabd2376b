"""The plain requests of the busiest endpoints, answered together and before Flask takes them up.

A gateway asks for lists in the same few forms, and for those the server's and Flask's contexts,
threads, adapters and responses cost more than the list. What is plain is answered here: a GET of a
known address with a query that was read before, from a known host, by somebody who is let in, with
time for an answer. Everything else, and whatever goes wrong, is left to Flask from its beginning,
so there is one place that refuses.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from recsvc.api.http.auditing import TELLING
from recsvc.api.http.auth import Caller, Gate, token_of
from recsvc.api.http.lifecycle import Teller, Visit
from recsvc.api.http.parsing import QueryPlan, check
from recsvc.api.http.screening import refuse_words
from recsvc.api.http.whole import dump
from recsvc.stores.connection.deadline import Deadline

LONGEST_PATH = 512
MOST_TOGETHER = 16
"""Requests answered in one go, so that the first of them does not wait long for the last."""


class PlainHead(NamedTuple):
    """What the headers of a plain GET say that an answer may depend on; empty where nothing."""

    host: str
    authorization: str
    request_id: str = ""
    traceparent: str = ""
    deadline_ms: str = ""


class PlainRequest(NamedTuple):
    """A GET without a body.

    Parameters
    ----------
    path : as it was sent; nothing in it is written in percents
    query : behind the question mark, as it was sent
    head : of its headers, those that count
    came_at : when it was read, in seconds of the monotonic clock
    """

    path: str
    query: str
    head: PlainHead
    came_at: float


class Asked(NamedTuple):
    """What a view of many is asked by one caller."""

    path: Any
    query: Any
    request_id: str


TogetherView = Callable[[str, Sequence[Asked]], Iterable[object]]
"""Answers callers of one issuer, in order: a JSON value each, or the exception it ended in."""


class Stop(NamedTuple):
    """An endpoint of the form GET /first/things/<id>/more.

    Parameters
    ----------
    rule : address in Flask's form
    name : what the id is called
    scope : which callers may use it
    path : model of the id
    queries : the queries that were read
    view : answers several requests of an issuer
    seconds : how long they may take with what they ask of the stores
    """

    rule: str
    name: str
    scope: str
    path: type[BaseModel]
    queries: QueryPlan
    view: TogetherView
    seconds: float


class _Entered(NamedTuple):
    """A request that was let in."""

    place: int
    stop: Stop
    caller: Caller
    visit: Visit
    asked: Asked


class Express:
    """Answers plain requests; says which it leaves to the application.

    Parameters
    ----------
    stops : endpoints
    gate : who may enter
    deadline : of the answering thread
    teller : counts and logs answers
    knows_host : whether requests that name a host were let in before
    is_away : whether the store gave no answer last; then each request waits for it by itself
    patience_seconds : how long all that is asked of the stores together may take, however they drip
    """

    def __init__(  # noqa: PLR0913 - handed in by the assembly, by name
        self,
        stops: Iterable[Stop],
        *,
        gate: Gate,
        deadline: Deadline,
        teller: Teller,
        knows_host: Callable[[str | None], bool],
        is_away: Callable[[], bool],
        patience_seconds: float,
    ) -> None:
        self._gate = gate
        self._deadline = deadline
        self._teller = teller
        self._knows_host = knows_host
        self._is_away = is_away
        self._patience_seconds = patience_seconds
        self._stops: dict[tuple[str, str, str], Stop] = {}
        for stop in stops:
            if stop.scope in TELLING:
                raise ValueError(f"{stop.rule}: answers of the scope {stop.scope} are audited")
            _, first, things, _, more = stop.rule.split("/", 4)
            self._stops[first, things, more] = stop

    @property
    def is_open(self) -> bool:
        """Whether requests may be answered together now."""
        return not self._is_away()

    def answer_all(self, requests: Sequence[PlainRequest]) -> Iterator[tuple[int, Visit, bytes]]:
        """Answer requests, one round trip to a store for those of one endpoint and issuer.

        Parameters
        ----------
        requests : at most 16, so that none waits long for the others

        Returns
        -------
        place among the requests, visit and JSON body of each that is answered with 200, as it is
        ready; the others are to be answered by the application
        """
        groups: dict[tuple[str, str], list[_Entered]] = defaultdict(list)
        for place, request in enumerate(requests):
            try:
                entered = self._enter(place, request)
            except Exception:  # noqa: BLE001, S112 - refused, or gone wrong: there it is told how
                continue
            if entered is not None:
                groups[entered.stop.rule, entered.caller.issuer_id].append(entered)
        for group in groups.values():
            yield from self._told(group)

    def _enter(self, place: int, request: PlainRequest) -> _Entered | None:
        """A request as its endpoint is asked; None where it is not plain; raises to refuse it.

        It is let in last: that counts as a use, which the application counts for those it is left.
        """
        found = self._stop(request)
        if found is None:
            return None
        stop, segments = found
        query = stop.queries.known.get(request.query)
        if query is None:
            return None
        refuse_words(segments.items(), "path")
        path = check(stop.path, segments, "path")
        head = request.head
        visit = Visit.of(head.request_id, head.traceparent)
        caller = self._gate.let_in(token_of(head.authorization), stop.scope)
        return _Entered(place, stop, caller, visit, Asked(path, query, visit.request_id))

    def _stop(self, request: PlainRequest) -> tuple[Stop, Mapping[str, str]] | None:
        """The endpoint of a plain request and the id in its address."""
        parts = request.path.split("/", 4)
        if len(parts) < 5 or len(request.path) > LONGEST_PATH:
            return None
        stop = self._stops.get((parts[1], parts[2], parts[4]))
        if stop is None or not self._knows_host(request.head.host):
            return None
        if not _has_time(request, stop.seconds):
            return None
        return stop, {stop.name: parts[3]}

    def _told(self, group: list[_Entered]) -> Iterator[tuple[int, Visit, bytes]]:
        """The answers of one endpoint to callers of one issuer, within its budget."""
        stop, issuer_id = group[0].stop, group[0].caller.issuer_id
        self._deadline.begin(min(stop.seconds, self._patience_seconds))
        try:
            documents = stop.view(issuer_id, [one.asked for one in group])
            for one, document in zip(group, documents, strict=True):
                if not isinstance(document, Exception):
                    body = dump(document)
                    self._teller.tell(one.visit, stop.rule, "GET", 200, issuer_id)
                    yield one.place, one.visit, body
        except Exception:  # noqa: BLE001 - whoever has no answer yet gets it from the application
            return
        finally:
            self._deadline.end()


def _has_time(request: PlainRequest, seconds: float) -> bool:
    """Whether a caller waits as long as others may; one who does not has a budget of his own."""
    told = request.head.deadline_ms
    if not told:
        return True
    if len(told) > 6 or not told.isdigit():
        return False
    return request.came_at + int(told) / 1000 > time.monotonic() + seconds
