"""`Idempotency-Key` (IETF httpapi draft 07): the same request twice has one effect, one answer."""

import contextlib
import re
from collections.abc import Callable

from flask import Request, Response

from recsvc.api.http.problems import MEDIA_TYPE, ProblemError, answer_domain
from recsvc.api.http.screening import refuse_words
from recsvc.domain.errors import DomainError, StoreAwayError
from recsvc.stores.entrance.idempotency import Beginning, Begun, IdempotencyStore

KEY = re.compile(r"[\x21-\x7e]{1,255}")
REPLAYED = "Idempotency-Replayed"


class OnceOnly:
    """Runs a request at most once for each key of an issuer and route."""

    def __init__(self, store: IdempotencyStore) -> None:
        self._store = store

    def run(
        self,
        request: Request,
        issuer_id: str,
        body: bytes,
        answer: Callable[[], Response],
        cardholder_id: str | None = None,
    ) -> Response:
        """Answer of the request, or of its first run.

        What the first run answered, an error of ours included, is kept for a day. A request that
        was refused before it did anything leaves its key free. What is about a cardholder goes
        when he is erased.

        Raises
        ------
        ProblemError
            400 without a key, 409 while the first run is under way, 422 with another body
        """
        key = key_of(request)
        route = f"{request.method} {request.path}"
        begun = self._store.begin(issuer_id, route, key, body, cardholder_id)
        if begun.begun is Begun.REPLAY:
            return _replay(begun)
        refuse_unless_first(begun.begun)
        try:
            response = _settled(answer)
        except (ProblemError, StoreAwayError):
            self._release(issuer_id, route, key)
            raise
        self._store.finish(
            issuer_id, route, key, status=response.status_code, body=response.get_data()
        )
        return response

    def _release(self, issuer_id: str, route: str, key: str) -> None:
        with contextlib.suppress(StoreAwayError):  # the claim then lapses by itself
            self._store.release(issuer_id, route, key)


def _settled(answer: Callable[[], Response]) -> Response:
    """The answer, or the one body of the error that ended it."""
    try:
        return answer()
    except (ProblemError, StoreAwayError):
        raise
    except DomainError as error:
        return answer_domain(error)


def _replay(begun: Beginning) -> Response:
    media_type = MEDIA_TYPE if begun.status >= 400 else "application/json"
    return Response(begun.body, begun.status, {REPLAYED: "true"}, content_type=media_type)


def key_of(request: Request) -> str:
    """The key of a request; 400 when it has none or one that cannot be a key."""
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise ProblemError(
            400,
            "idempotency_key_missing",
            "Send an Idempotency-Key header of 1 to 255 visible ASCII characters.",
        )
    refuse_words((("idempotency_key", key),), "header")
    return key


def refuse_unless_first(begun: Begun) -> None:
    """Raise the problem of a request that may not run now."""
    if begun is Begun.IN_FLIGHT:
        raise ProblemError(
            409, "idempotency_in_flight", "The first request with this key is still running."
        )
    if begun is Begun.OTHER_BODY:
        raise ProblemError(
            422, "idempotency_key_reused", "This key was used with another body; take a new key."
        )
