"""Row 42: what a token must be to open anything, and each way in which one may lie."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from tests.identity import AUDIENCE, BEGINNING, ISS, KeyServer, Signer, claims, key_set
from tests.service import Service

CONSENT = "/v1/cardholders/c1/consent"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer.new("k1")


@pytest.fixture(scope="module")
def stranger() -> Signer:
    return Signer.new("k1")


@pytest.fixture
def guarded(
    tmp_path: Path, stores: Stores, log: Log, metrics: Metrics, signer: Signer
) -> Iterator[Service]:
    """The service with one provider whose keys are in a file."""
    (tmp_path / "jwks.json").write_bytes(key_set(signer))
    provider = {
        "iss": ISS,
        "audience": AUDIENCE,
        "issuer_id": "demo",
        "jwks_file": str(tmp_path / "jwks.json"),
    }
    providers = tmp_path / "providers.json"
    providers.write_text(json.dumps({"providers": [provider]}))
    running = Service.assembled(
        tmp_path / "shelf", stores, log, metrics, identity_providers=providers
    )
    for watcher in running.services.watchers:
        watcher._look_at_due()
    yield running
    running.close()


def ask(service: Service, token: str, path: str = CONSENT, method: str = "GET") -> Any:
    return service.app.test_client().open(
        path, method=method, headers={"Authorization": f"Bearer {token}"}
    )


def by_hand(header: dict[str, Any], told: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(told).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_good_token_opens_what_its_scopes_allow_for_its_own_issuer(
    guarded: Service, signer: Signer
) -> None:
    token = signer.token()
    other = guarded.ask(
        "PUT", "/v1/cardholders/c1", {"city": "Shanghai"}, issuer_id="other"
    ).status_code

    assert other == 200
    assert ask(guarded, token).status_code == 200
    assert ask(guarded, token, "/v1/cardholders/c1").status_code == 404
    assert ask(guarded, token, "/v1/models:rollback", "POST").status_code == 403


def test_scopes_may_come_as_a_list(guarded: Service, signer: Signer) -> None:
    assert ask(guarded, signer.token(scope=["rec:read"])).status_code == 200
    assert ask(guarded, signer.token(scope=None)).status_code == 403
    assert ask(guarded, signer.token(scope={"rec:read": 1})).status_code == 401


LIES: dict[str, dict[str, Any]] = {
    "expired": {"exp": BEGINNING - 31},
    "no_end": {"exp": None},
    "end_that_is_no_number": {"exp": "never"},
    "endless": {"exp": float("inf")},
    "not_yet": {"nbf": BEGINNING + 31},
    "made_in_the_future": {"iat": BEGINNING + 31},
    "other_audience": {"aud": "another"},
    "no_audience": {"aud": None},
    "other_issuer": {"iss": "https://evil.example"},
    "no_issuer": {"iss": None},
    "issuer_of_another_type": {"iss": [ISS]},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_F42_a_token_with_a_wrong_claim_is_401(guarded: Service, signer: Signer, lie: str) -> None:
    answer = ask(guarded, signer.token(**LIES[lie]))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_F42_leeway_forgives_thirty_seconds_and_no_more(guarded: Service, signer: Signer) -> None:
    token = signer.token(exp=BEGINNING + 10)
    guarded.clock.pass_time(seconds=39)
    within = ask(guarded, token).status_code
    guarded.clock.pass_time(seconds=1)

    assert (within, ask(guarded, token).status_code) == (200, 401)


HEADERS: dict[str, dict[str, Any]] = {
    "crit": {"crit": ["exp"]},
    "unknown_crit": {"crit": ["urn:x"], "urn:x": True},
    "jku": {"jku": "http://127.0.0.1:9/jwks"},
    "x5u": {"x5u": "http://127.0.0.1:9/cert"},
    "kid_path": {"kid": "../../../../dev/null"},
    "kid_sql": {"kid": "k1' OR '1'='1"},
    "kid_empty": {"kid": ""},
    "typ": {"typ": "dpop+jwt"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_F42_a_header_that_leads_astray_is_401(guarded: Service, signer: Signer, name: str) -> None:
    assert ask(guarded, signer.token(HEADERS[name])).status_code == 401


def test_F42_a_key_that_comes_with_the_token_is_not_looked_at(
    guarded: Service, stranger: Signer
) -> None:
    assert ask(guarded, stranger.token({"jwk": stranger.jwk()})).status_code == 401
    assert ask(guarded, stranger.token()).status_code == 401


def test_F42_no_signature_and_a_signature_by_the_public_key_are_401(
    guarded: Service, signer: Signer
) -> None:
    unsigned = by_hand({"alg": "none", "kid": "k1", "typ": "JWT"}, claims())
    header = {"alg": "HS256", "kid": "k1", "typ": "JWT"}
    signed_part = by_hand(header, claims()).rpartition(".")[0]
    mac = hmac.new(signer.public_pem(), signed_part.encode(), hashlib.sha256).digest()
    confused = by_hand(header, claims(), mac)

    assert ask(guarded, unsigned).status_code == 401
    assert ask(guarded, confused).status_code == 401


def test_F42_an_altered_token_is_401_and_its_good_twin_is_not(
    guarded: Service, signer: Signer
) -> None:
    good = signer.token()
    head, _, tail = good.split(".")
    forged = by_hand({}, {**claims(), "scope": "privacy:admin"}).split(".")[1]

    assert ask(guarded, good).status_code == 200
    assert ask(guarded, f"{head}.{forged}.{tail}").status_code == 401
    assert ask(guarded, f"{good[:-4]}AAAA").status_code == 401


@pytest.mark.parametrize("token", ["a.b.c", "..", "e30.e30.", "x" * 100_000 + ".b.c", "é.b.c"])
def test_F42_what_is_no_token_is_401(guarded: Service, token: str) -> None:
    guarded.look()

    assert ask(guarded, token).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "k1"},
        {"kid": "k1", "alg": None},
        {"kid": "k1", "alg": ["RS256"]},
        {"kid": "k1", "alg": {}},
        {"kid": ["k1"], "alg": "RS256"},
        {"kid": "k1", "alg": "RS256", "typ": 5},
        {},
    ],
)
def test_F42_a_header_without_an_algorithm_or_with_odd_types_is_401_and_no_error_of_ours(
    guarded: Service, header: dict[str, Any]
) -> None:
    assert ask(guarded, by_hand(header, claims(), b"x")).status_code == 401


def test_F42_a_deeply_nested_claim_is_401_and_no_error_of_ours(guarded: Service) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 4000).rstrip(b"=").decode()
    header = by_hand({"alg": "RS256", "kid": "k1"}, {}).split(".")[0]

    assert ask(guarded, f"{header}.{nested}.AAAA").status_code == 401


def test_F42_nothing_in_a_token_makes_the_service_fetch_anything(
    guarded: Service, signer: Signer
) -> None:
    with KeyServer(body=key_set(signer)).running() as bait:
        for name in ("jku", "x5u"):
            ask(guarded, signer.token({name: bait.address, "kid": "unknown"}))
        ask(guarded, signer.token(iss=bait.address))
        for watcher in guarded.services.watchers:
            watcher._look_at_due()

    assert bait.asked == []


def test_F42_without_providers_no_token_opens_anything(service: Service, signer: Signer) -> None:
    service.look()

    assert ask(service, signer.token()).status_code == 401


def test_F43_a_token_is_never_logged(guarded: Service, signer: Signer, log_lines: Any) -> None:
    token = signer.token()
    ask(guarded, token)
    ask(guarded, token[:-4] + "AAAA")

    assert token[:40] not in log_lines.getvalue()
    assert "app-1" not in log_lines.getvalue()
