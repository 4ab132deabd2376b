"""Whether the address to listen on is free: asked before gunicorn tries, retries and only logs."""

import socket
from typing import Any

from recsvc.settings import SettingsError

ELSEWHERE = ("unix:", "fd://")
"""Addresses that gunicorn takes and that are no host and port."""
OTHERS = "end what runs there, or choose another, such as RECSVC_BIND=127.0.0.1:8081"


def refuse_taken(bind: str) -> None:
    """Refuse an address that cannot be listened on.

    Raises
    ------
    SettingsError
        It is no address of this machine, or taken; says which and what to do.
    """
    if bind.startswith(ELSEWHERE):
        return
    host, _, port = bind.removeprefix("tcp://").rpartition(":")
    for family, kind, protocol, _, address in _addresses(host.strip("[]"), int(port)):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)
            except OSError as error:
                raise SettingsError(
                    f"RECSVC_BIND: {bind} cannot be listened on ({error.strerror}); {OTHERS}"
                ) from error


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """Where gunicorn would listen: names are asked for addresses of version 4 only."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    every = "0.0.0.0"  # noqa: S104 - what gunicorn takes a missing host for
    try:
        return list(socket.getaddrinfo(host or every, port, family, socket.SOCK_STREAM))
    except OSError as error:
        raise SettingsError(f"RECSVC_BIND: {host} is no address of this machine") from error
