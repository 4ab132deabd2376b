"""An identity provider of the tests' own: keys, tokens, and a small server that can misbehave."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.service import NOON

ISS, AUDIENCE = "https://idp.bank.example", "recsvc"
BEGINNING = int(NOON.timestamp())


@dataclass(slots=True)
class Signer:
    """A private key and the id under which its public part is told."""

    kid: str
    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls, kid: str, bits: int = 2048) -> "Signer":
        return cls(kid, rsa.generate_private_key(public_exponent=65537, key_size=bits))

    def jwk(self, **changes: Any) -> dict[str, Any]:
        told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**told, "kid": self.kid, "use": "sig", "alg": "RS256", **changes}

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def token(self, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A good token of the provider; None removes a claim."""
        told = {k: v for k, v in {**claims(), **changes}.items() if v is not None}
        shown = {"kid": self.kid, **(headers or {})}
        return jwt.PyJWS().encode(json.dumps(told).encode(), self.private, "RS256", shown)


def claims() -> dict[str, Any]:
    return {
        "iss": ISS,
        "aud": AUDIENCE,
        "sub": "app-1",
        "iat": BEGINNING,
        "nbf": BEGINNING,
        "exp": BEGINNING + 600,
        "scope": "rec:read events:write openid",
    }


def key_set(*signers: Signer) -> bytes:
    return json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()


@dataclass(slots=True)
class KeyServer:
    """Tells what it was told to, and counts how often it was asked."""

    address: str = ""
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    drips: bool = False
    """Whether a byte of the body comes every tenth of a second, without end."""

    @contextmanager
    def running(self) -> Iterator["KeyServer"]:
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.asked.append(self.path)
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                while told.drips:
                    try:
                        self.wfile.write(b" ")
                    except OSError:
                        return
                    time.sleep(0.1)
                self.wfile.write(told.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_address[1]}/jwks"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
