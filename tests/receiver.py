"""A webhook receiver with a certificate of its own, that does what a test tells it."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.certificates import a_certificate

NAME = "hooks.bank.example"


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """A server that remembers what it got.

    Parameters
    ----------
    port : it listens on
    trust : a context that believes its certificate
    answer : status, headers and body for each request
    begun : bytes of an answer after which a byte comes now and then, without end; None for whole
        answers
    """

    port: int
    trust: ssl.SSLContext
    answer: Callable[[Got], tuple[int, dict[str, str], bytes]]
    got: list[Got] = field(default_factory=list)
    begun: bytes | None = None

    @property
    def url(self) -> str:
        """Address by its name."""
        return f"https://{NAME}:{self.port}/pushes"


@contextmanager
def a_receiver(folder: Path) -> Iterator[Receiver]:
    """A receiver on a free port; answers 204 until told otherwise."""
    certificate = a_certificate(folder, NAME)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    receiver = Receiver(0, ssl.create_default_context(cafile=certificate), lambda _: (204, {}, b""))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            got = Got(self.path, dict(self.headers.items()), self.rfile.read(length))
            receiver.got.append(got)
            if receiver.begun is not None:
                self.drip(receiver.begun)
                return
            status, headers, body = receiver.answer(got)
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(body), 16_384):
                    self.wfile.write(body[start : start + 16_384])
            except OSError:
                self.close_connection = True

        def drip(self, begun: bytes) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.wfile.write(begun)
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)

        def log_message(self, *words: object) -> None:
            del words

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = served.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def slowly(seconds: float) -> Callable[[Got], tuple[int, dict[str, str], bytes]]:
    """An answer that keeps its caller waiting."""

    def answer(_: Got) -> tuple[int, dict[str, str], bytes]:
        time.sleep(seconds)
        return 204, {}, b""

    return answer
