"""Bytes that are no HTTP, spoken to a real server: refused, and nothing behind them is answered."""

import socket

import pytest

from tests.faults.world import World

CHUNKED = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"


def spoken(world: World, data: bytes, *, ends: bool = False) -> bytes:
    """Everything the server says to these bytes until it closes."""
    host, port = world.server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(data)
        if ends:
            line.shutdown(socket.SHUT_WR)
        said = b""
        while part := line.recv(65536):
            said += part
    return said


def statuses(said: bytes) -> list[int]:
    """Status of each answer; bodies are JSON, in which no status line stands."""
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    "body",
    [
        "zz\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}",  # no end of the chunk
        f"2;{'a' * 100_000}\r\n{{}}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["no_size", "no_end", "endless_extension", "negative"],
)
@pytest.mark.parametrize("let_in", [True, False])
def test_F37_F48_chunks_that_are_none_are_refused_and_what_follows_is_no_request(
    shared: World, body: str, let_in: bool
) -> None:
    key = f"Authorization: Bearer {shared.key}\r\n"
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{key if let_in else ''}{CHUNKED}\r\n"
    smuggled = f"GET /v1/offers HTTP/1.1\r\nHost: x\r\n{key}\r\n"
    said = spoken(shared, (head + body + smuggled).encode())

    assert statuses(said)[0] == (400 if let_in else 401)
    assert set(statuses(said)[1:]) <= {400}
    assert b"offer_0" not in said


def test_F37_F48_a_body_that_ends_early_is_refused(shared: World) -> None:
    key = f"Authorization: Bearer {shared.key}\r\n"
    for framing in (CHUNKED, "Content-Type: application/json\r\nContent-Length: 100\r\n"):
        head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{key}{framing}\r\n"
        start = "64\r\n{" if framing is CHUNKED else "{"

        assert statuses(spoken(shared, (head + start).encode(), ends=True)) == [400]
