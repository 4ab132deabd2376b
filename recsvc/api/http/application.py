"""The Flask application as this service needs it: without sessions, async views and scoped hooks.

Flask looks for each of them in every request; here they are known not to be there.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter

from recsvc.api.http.addresses import Addresses

MOST_HOSTS = 256


class NoSessions(SessionInterface):
    """Opens no session and sets no cookie; using one is an error that says so."""

    def __init__(self) -> None:
        self._none = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # noqa: ARG002
        """The session that nobody can write to."""
        return self._none


class FewFiles(Request):
    """A request that looks for files to close only where it was asked for some."""

    def close(self) -> None:
        """Close the files that came with it."""
        if "files" in self.__dict__:
            super().close()


class Application(Flask):
    """Flask, less what this service has none of.

    Its hooks are those of the application; blueprints have none of their own.
    """

    request_class = FewFiles
    session_interface = NoSessions()

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Flask's own
        super().__init__(*args, **options)
        # A doubled slash is another address. A redirect would be answered before anybody was asked
        # who he is, repeat what was sent (a card number, too) and name whatever host was sent.
        self.url_map.merge_slashes = False
        self._trusted: set[str] = set()

    @cached_property
    def addresses(self) -> Addresses:
        """The addresses that are looked up; Flask takes no more of them once it has answered."""
        return Addresses(self.url_map.iter_rules())

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the view of a request; a host is looked at when it comes for the first time.

        Outside a request there is none: no address is ever built.
        """
        if request is None:
            return None
        host = request.environ.get("HTTP_HOST")
        if host in self._trusted and "HTTP_UPGRADE" not in request.environ:
            found = self.addresses.find(request.method, request.path)
            if found is not None:
                return found  # type: ignore[return-value]  # Flask only asks it to match
        adapter = super().create_url_adapter(request)
        self._trust(host)
        return adapter

    def knows_host(self, host: str | None) -> bool:
        """Whether requests that named this host were let in before."""
        return host in self._trusted

    def _trust(self, host: str | None) -> None:
        if host is None:
            return
        if len(self._trusted) >= MOST_HOSTS:
            self._trusted.clear()
        self._trusted.add(host)

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

    def do_teardown_request(self, *args: Any) -> None:  # noqa: ANN401 - Flask's own
        """Call the hooks at a request's end, where there are any."""
        if self.teardown_request_funcs:
            super().do_teardown_request(*args)
