"""How soon a change is felt, and what is answered while something is away."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.shelf import Shelf
from recsvc.app import EXTENSION, create_app
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import Settings, SettingsError, read_settings
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from recsvc.upkeep.shelves import Shelves
from recsvc.upkeep.watcher import JITTER
from tests.bundles import publish
from tests.identity import AUDIENCE, ISS, Signer, key_set
from tests.service import NOON, Clock, Service, a_connection, settings, until

CONSENT = "/v1/cardholders/c/consent"
PROMISED_SECONDS = {
    "key_poll_seconds": 1.0,
    "catalog_poll_seconds": 2.0,
    "shelf_poll_seconds": 10.0,
}


@pytest.mark.parametrize("name", PROMISED_SECONDS)
def test_the_longest_pause_that_may_be_set_leaves_time_to_keep_the_promise(name: str) -> None:
    promised = PROMISED_SECONDS[name]
    longest = next(one.le for one in Settings.model_fields[name].metadata if hasattr(one, "le"))
    with pytest.raises(SettingsError):
        read_settings({f"RECSVC_{name.upper()}": str(promised)})

    assert longest * (1 + JITTER / 2) <= 0.9 * promised


class StuckShelves(Shelves):
    """Shelves on a disk that hangs from the second look on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.released = threading.Event()
        self.hangs = threading.Event()
        self._looks = 0

    def issuers(self) -> frozenset[str]:
        self._looks += 1
        if self._looks > 1:
            self.hangs.set()
            self.released.wait(30)
        return super().issuers()


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[StuckShelves]:
    shelves = StuckShelves(tmp_path / "shelf")
    yield shelves
    shelves.released.set()


def test_a_revoked_key_is_felt_while_a_bundle_takes_long_to_open(
    stores: Stores, log: Log, metrics: Metrics, stuck: StuckShelves
) -> None:
    made, key = stores.api_keys.create("demo", SCOPES, now=NOON)
    chosen = settings(shelf_poll_seconds=0.02, key_poll_seconds=0.02)
    app = create_app(chosen, stores=stores, shelf=stuck, clock=Clock(), log=log, metrics=metrics)
    services = app.extensions[EXTENSION]
    headers = {"Authorization": f"Bearer {key}"}

    def status() -> int:
        return int(app.test_client().get(CONSENT, headers=headers).status_code)

    services.start()
    try:
        assert stuck.hangs.wait(20)
        before = status()
        stores.api_keys.revoke(made.key_id, now=NOON)
        until(lambda: status() == 401)
    finally:
        stuck.released.set()
        services.stop()

    assert before == 200


def test_F06_a_worker_that_starts_without_its_store_serves_tokens_and_tells_keys_to_wait(
    tmp_path: Path, black_hole: str, log: Log, metrics: Metrics
) -> None:
    signer = Signer.new("k1")
    (tmp_path / "jwks.json").write_bytes(key_set(signer))
    place = {"jwks_file": str(tmp_path / "jwks.json")}
    provider = {"iss": ISS, "audience": AUDIENCE, "issuer_id": "demo", **place}
    (tmp_path / "providers.json").write_text(json.dumps({"providers": [provider]}))
    publish(Shelf(tmp_path / "shelf", "demo"))
    away = a_connection(black_hole, log=log, metrics=metrics, wait_seconds=0.05)
    service = Service.assembled(
        tmp_path / "shelf",
        Stores.of(away, away),
        log,
        metrics,
        identity_providers=tmp_path / "providers.json",
    )
    service.services.loader.follow_shelves()
    for watcher in service.services.watchers:
        if watcher._thread.name == "identity":
            watcher._look_at_due()

    def ask(credential: str) -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {credential}"}
        path = "/v1/cardholders/ch_0/recommendations"
        answer = service.app.test_client().get(path, headers=headers)
        return answer.status_code, json.loads(answer.data)

    by_token, by_key = ask(signer.token()), ask("rsk_a_b")
    service.close()

    assert (by_token[0], by_token[1]["personalised"]) == (200, False)
    assert by_token[1]["degraded"] == ["profile_store"]
    assert by_token[1]["items"]
    assert (by_key[0], by_key[1]["code"]) == (503, "credentials_unavailable")
