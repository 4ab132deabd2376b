"""The Flask application as this service needs it: without sessions, async views and scoped hooks.

Flask looks for each of them in every request; here they are known not to be there.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """Opens no session and sets no cookie; using one is an error that says so."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # noqa: ARG002
        """A session that nobody can write to."""
        return NullSession()


class Application(Flask):
    """Flask, less what this service has none of.

    Its hooks are those of the application; blueprints have none of their own.
    """

    session_interface = NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: none here is a coroutine."""
        return func

    def preprocess_request(self) -> Any:  # noqa: ANN401 - what a view may answer
        """Call the hooks before a request; one that answers ends it."""
        for hook in self.before_request_funcs.get(None, ()):
            answer = hook()
            if answer is not None:
                return answer
        return None

    def process_response(self, response: Response) -> Response:
        """Call the hooks behind a request, the last one first."""
        for hook in reversed(self.after_request_funcs.get(None, ())):
            response = hook(response)
        return response
