"""Row 30: the place of a provider's keys dies, rotates, or answers garbage."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from recsvc.identity.fetching import NotFetchedError, fetched
from recsvc.identity.jwks import KeySource, KeysUnreadableError, keys_of
from recsvc.identity.providers import Provider, read_providers
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import SettingsError
from tests.identity import AUDIENCE, ISS, KeyServer, Signer, key_set

OLD, NEW = Signer.new("old"), Signer.new("new")


class Ticks:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place() -> Iterator[KeyServer]:
    with KeyServer(body=key_set(OLD)).running() as server:
        yield server


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def source(place: KeyServer, ticks: Ticks, log: Log, metrics: Metrics) -> KeySource:
    provider = Provider(iss=ISS, audience=AUDIENCE, issuer_id="demo", jwks_url=place.address)
    return KeySource(provider, ticks, log, metrics)


def test_F30_before_the_first_look_there_are_no_keys(source: KeySource) -> None:
    assert not source.is_believed
    assert source.keys == {}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (302, b""),
        (200, b"<html>garbage"),
        (200, b'{"keys": []}'),
        (200, b"[" * 50_000),
        (200, b'{"keys": [{"kty": "oct", "kid": "old", "k": "c2VjcmV0"}]}'),
        (200, key_set(OLD) + b" " * 70_000),
        (200, key_set(OLD, OLD)),
    ],
)
def test_F30_what_cannot_be_used_leaves_the_keys_there_are(
    source: KeySource, place: KeyServer, ticks: Ticks, status: int, body: bytes
) -> None:
    source.look()
    place.status, place.body = status, body
    place.headers = {"Location": place.address + "/elsewhere"} if status == 302 else {}
    ticks.now += 300
    source.look()

    assert set(source.keys) == {"old"}
    assert len(place.asked) == 2


def test_F30_a_provider_that_sends_a_byte_now_and_then_is_left_at_the_deadline(
    place: KeyServer,
) -> None:
    place.drips, place.body = True, b" " * 1000
    began = time.monotonic()

    with pytest.raises((NotFetchedError, HTTPException, OSError)):
        fetched(place.address, 65_536, whole_seconds=0.5)

    assert time.monotonic() - began < 5
    place.drips = False
    assert fetched(place.address, 65_536) == place.body


def test_F30_keys_are_believed_for_their_time_and_then_nothing_is(
    ticks: Ticks, log: Log, metrics: Metrics
) -> None:
    with KeyServer(body=key_set(OLD)).running() as place:
        provider = Provider(iss=ISS, audience=AUDIENCE, issuer_id="demo", jwks_url=place.address)
        source = KeySource(provider, ticks, log, metrics)
        source.look()
    ticks.now += 3599
    source.look()
    just_before = set(source.keys)
    ticks.now += 1

    assert just_before == {"old"}
    assert source.keys == {}


def test_F30_after_a_rotation_an_unknown_key_id_brings_the_new_keys_once_a_minute(
    source: KeySource, place: KeyServer, ticks: Ticks
) -> None:
    source.look()
    place.body = key_set(NEW)
    for _ in range(59):
        source.want()
        ticks.now += 1
        source.look()
    before = (len(place.asked), set(source.keys))
    source.want()
    ticks.now += 1
    source.look()

    assert before == (1, {"old"})
    assert (len(place.asked), set(source.keys)) == (2, {"new"})


def test_F30_after_a_failure_it_asks_again_within_a_quarter_of_a_minute(
    source: KeySource, place: KeyServer, ticks: Ticks
) -> None:
    place.status = 500
    source.look()
    place.status = 200
    ticks.now += 14
    source.look()
    asked_early = len(place.asked)
    ticks.now += 1
    source.look()

    assert (asked_early, set(source.keys)) == (1, {"old"})


class TestKeySets:
    def test_weak_private_foreign_and_encryption_keys_are_left_out(self) -> None:
        curve = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
        listed = [
            OLD.jwk(),
            Signer.new("weak", 1024).jwk(),
            NEW.jwk(kid="encrypts", use="enc"),
            NEW.jwk(kid="other", alg="RS512"),
            NEW.jwk(kid="private", d="AQAB"),
            {**curve, "kid": "curve", "alg": "ES256"},
            "nonsense",
        ]
        keys = keys_of(json.dumps({"keys": listed}).encode(), ("RS256", "ES256"))

        assert set(keys) == {"old"}
        assert keys["old"].algorithms == {"RS256"}

    @pytest.mark.parametrize(
        "document",
        [b"", b"[]", b"{}", b"[" * 60_000, b'{"keys": [NaN]}', b'{"keys": [], "keys": [{}]}'],
    )
    def test_what_is_no_set_or_can_be_read_in_two_ways_is_refused(self, document: bytes) -> None:
        with pytest.raises(KeysUnreadableError, match="no JWK set"):
            keys_of(document, ("RS256",))

    def test_a_set_without_a_usable_key_is_refused(self) -> None:
        with pytest.raises(KeysUnreadableError, match="no usable key"):
            keys_of(b'{"keys": [{}]}', ("RS256",))


class TestProviderFile:
    def written(self, tmp_path: Path, **changes: object) -> Path:
        provider = {"iss": ISS, "audience": AUDIENCE, "issuer_id": "demo", "jwks_file": "x"}
        told = {k: v for k, v in {**provider, **changes}.items() if v is not None}
        path = tmp_path / "providers.json"
        path.write_text(json.dumps({"providers": [told]}))
        return path

    def test_it_is_read(self, tmp_path: Path) -> None:
        assert read_providers(self.written(tmp_path))[0].issuer_id == "demo"
        assert read_providers(None) == ()

    @pytest.mark.parametrize(
        "changes",
        [
            {"algorithms": ["HS256"]},
            {"algorithms": ["none"]},
            {"leeway_seconds": 61},
            {"jwks_url": "http://idp.example/jwks", "jwks_file": None},
            {"jwks_url": "https://idp.example/jwks"},
            {"jwks_file": None},
            {"ttl_seconds": 10},
            {"unknown": 1},
        ],
    )
    def test_F42_what_would_weaken_it_is_refused_at_the_start(
        self, tmp_path: Path, changes: dict[str, object]
    ) -> None:
        with pytest.raises(SettingsError, match="providers"):
            read_providers(self.written(tmp_path, **changes))

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"nowhere\.json: cannot be read"):
            read_providers(tmp_path / "nowhere.json")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("{", "Invalid JSON"),
            ('{"provider": []}', "providers: Field required"),
            ('{"providers": [%s, %s]}', "providers: two have one iss"),
            ('{"providers": [{}]}', r"providers\.0\.iss: Field required"),
        ],
    )
    def test_what_is_wrong_is_told_after_the_name_of_the_file(
        self, tmp_path: Path, text: str, told: str
    ) -> None:
        path = self.written(tmp_path)
        one = json.dumps(json.loads(path.read_text())["providers"][0])
        path.write_text(text.replace("%s", one))

        with pytest.raises(SettingsError, match=rf"/providers\.json: {told}"):
            read_providers(path)
