"""Bytes to a real server and back, where a test must see the connection itself."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.service import Server, until

CONSENT = "/v1/cardholders/c/consent"
YES = b'{"personalisation": true, "purpose_version": "1"}'


def connect(server: Server) -> socket.socket:
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(method: str, path: str, key: str, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def put_head(key: str) -> bytes:
    sizes = ("Content-Type: application/json", f"Content-Length: {len(YES)}")
    return head("PUT", CONSENT, key, *sizes)


def answer_on(wire: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer on a connection."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = wire.recv(65536)
        assert more, got
        got += more
    top, _, body = got.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += wire.recv(65536)
    return int(first.split()[1]), headers, body


def status_of(wire: socket.socket, sent: bytes) -> int:
    wire.sendall(sent)
    return answer_on(wire)[0]


def let_in_without_body(wire: socket.socket, key: str) -> socket.socket | None:
    """This connection, let in without its body: nothing comes back; None when it was refused."""
    wire.sendall(put_head(key))
    wire.settimeout(0.5)
    try:
        answer_on(wire)
    except TimeoutError:
        wire.settimeout(20)
        return wire
    return None


@contextmanager
def a_server_behind(
    reach: Callable[[], socket.socket],
    folder: Path,
    store_url: str,
    environment: Mapping[str, str],
) -> Iterator[None]:
    """The product's own command, listening elsewhere than on a plain port; until it is stopped."""
    environ = {
        **{n: v for n, v in os.environ.items() if not n.startswith(("RECSVC_", "COV_"))},
        "RECSVC_SHELF": str(folder / "shelf"),
        "RECSVC_REDIS_URL": store_url,
        "RECSVC_STORE_TIMEOUT_MS": "1000",
        **environment,
    }
    log_path = folder / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "recsvc", "serve"], env=environ, stdout=log, stderr=log
        )
    try:
        until(lambda: _answers(reach, process, log_path), 30)
        yield
    finally:
        process.terminate()
        process.wait(timeout=40)


def _answers(
    reach: Callable[[], socket.socket], process: "subprocess.Popen[bytes]", log_path: Path
) -> bool:
    assert process.poll() is None, log_path.read_text()
    try:
        with reach() as wire:
            return status_of(wire, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") == 200
    except OSError:
        return False
