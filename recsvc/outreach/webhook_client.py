"""Posts to addresses that strangers chose: never inside, never elsewhere than checked.

The name is resolved once, every address it has must be public, and the connection goes to the very
address that was checked, with TLS for the name; so neither a private address in any spelling nor a
name that answers differently the second time leads inside. Redirects are answers like any other,
an answer is read to 64 KiB, and everything has a deadline.
"""

import contextlib
import http.client
import ipaddress
import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from recsvc.domain.errors import InvalidError

MOST_ANSWER_BYTES = 64 * 1024
WAIT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
RESOLVE_SECONDS = 3.0
PORTS = frozenset((443, 8443))
HOST = re.compile(r"([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}\.?")
LONGEST_HOST = 253
UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is routed anywhere; outside it lie private prefixes, old and new (RFC 4291)."""
OF_BOOKS = ipaddress.ip_network("3fff::/20")

Resolver = Callable[[str, int], Sequence[str]]
Judge = Callable[[str], bool]


class UnsafeAddressError(Exception):
    """The address leads, or now leads, where no webhook may go; the message says why."""


class ForbiddenHostError(UnsafeAddressError):
    """The operator does not let pushes leave for this domain."""


class DeliveryFailedError(Exception):
    """No answer came; the message is one word for the record."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a receiver said."""

    status: int
    body: bytes

    @property
    def is_taken(self) -> bool:
        """Whether it took the delivery."""
        return 200 <= self.status < 300


def is_public(address: str) -> bool:
    """Whether an IP address is reachable from everywhere, its embedded IPv4 included."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None or ip not in UNICAST or ip in OF_BOOKS:
            return False
    return ip.is_global and not ip.is_multicast


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name; DeliveryFailedError when none is told in time."""
    told: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        told.put([str(info[4][0]) for info in found])

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        addresses = told.get(timeout=RESOLVE_SECONDS)
    except queue.Empty:
        addresses = ()
    if not addresses:
        raise DeliveryFailedError("unresolved")
    return addresses


def checked_url(url: str) -> SplitResult:
    """The parts of an address that a webhook may have.

    Raises
    ------
    InvalidError
        Not https, with credentials, on another port, or an IP address in any spelling.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise InvalidError("/url", "is no address") from None
    if parts.scheme != "https" or not host:
        raise InvalidError("/url", "must be an https:// address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidError("/url", "must be without credentials and without a fragment")
    if port is not None and port not in PORTS:
        raise InvalidError("/url", "must use port 443 or 8443")
    if "." not in host or host.rstrip(".").rpartition(".")[2].isdigit() or ":" in host:
        raise InvalidError("/url", "must be a full host name, not an IP address")
    if not host.isascii() or host.rstrip(".").rpartition(".")[2].startswith("0x"):
        raise InvalidError("/url", "must be a host name in ASCII")
    if len(host) > LONGEST_HOST or HOST.fullmatch(host) is None:
        raise InvalidError("/url", "must be a host name of letters, digits, hyphens and dots")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidError("/url", "must be in ASCII without blanks; percent-encode all else")
    return parts


class WebhookClient:
    """Posts; holds no connection between two posts.

    Parameters
    ----------
    hosts : domains that may be sent to, their subdomains included; any when there are none
    resolver, judge : how names become addresses, and which may be connected to
    tls : how the receiver proves its name
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str] = (),
        resolver: Resolver = resolve,
        judge: Judge = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = tuple(host.lower().strip(".") for host in hosts)
        self._resolver = resolver
        self._judge = judge
        self._tls = tls or ssl.create_default_context()

    def require_safe(self, url: str) -> tuple[SplitResult, str]:
        """Parts and checked IP address of a URL.

        Raises
        ------
        UnsafeAddressError
            One of its addresses is not public; ForbiddenHostError when its domain is not allowed.
        """
        parts = checked_url(url)
        if self._hosts and not _is_within((parts.hostname or "").rstrip("."), self._hosts):
            raise ForbiddenHostError("leads to a domain that pushes may not leave for")
        addresses = self._resolver(parts.hostname or "", parts.port or 443)
        if not addresses:
            raise DeliveryFailedError("unresolved")
        if not all(self._judge(address) for address in addresses):
            raise UnsafeAddressError("leads to an address that is not public")
        return parts, addresses[0]

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Post once.

        Raises
        ------
        UnsafeAddressError, DeliveryFailedError
        """
        parts, address = self.require_safe(url)
        connection = _Pinned(parts.hostname or "", parts.port or 443, address, self._tls)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        end = threading.Timer(WHOLE_SECONDS, connection.cut)
        end.daemon = True
        end.start()
        try:
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            answered = Answered(answer.status, _read(answer))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise DeliveryFailedError(connection.word_for(error)) from None
        finally:
            end.cancel()
            connection.close()
        if connection.is_cut:  # what came until then looks like a whole answer
            raise DeliveryFailedError("timeout")
        return answered


def _is_within(host: str, domains: Sequence[str]) -> bool:
    """Whether a host name is one of these domains, or below one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _read(answer: http.client.HTTPResponse) -> bytes:
    """At most 64 KiB of an answer; the rest is left where it is."""
    parts: list[bytes] = []
    left = MOST_ANSWER_BYTES
    while left > 0:
        part = answer.read1(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class _Pinned(http.client.HTTPSConnection):
    """A TLS connection to one checked address that must prove a name."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=WAIT_SECONDS, context=tls)
        self._address = address
        self._tls = tls
        self.is_cut = False
        self.sock: Any = None

    def connect(self) -> None:
        """Connect to the checked address and to no other."""
        plain = socket.create_connection((self._address, self.port), WAIT_SECONDS)
        self.sock = self._tls.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()

    def cut(self) -> None:
        """End it from another thread: who sends a byte now and then keeps nobody for ever."""
        self.is_cut = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def word_for(self, error: Exception) -> str:
        """One word for how it failed."""
        if self.is_cut or isinstance(error, TimeoutError):
            return "timeout"
        return "tls" if isinstance(error, ssl.SSLError) else "connection"
