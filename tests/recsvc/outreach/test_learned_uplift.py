"""A campaign teaches whom a push moves, and the next audience asks for them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from click.testing import CliRunner

from recsvc.domain.cardholder import Profile
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.assembly import Stores
from recsvc.workers.dispatcher import Dispatcher
from tests.bundles import an_offer
from tests.outreach import ALLOWED, activate
from tests.service import Service, run_command, settings
from training.cli import group

ENDS_AT = datetime(2026, 3, 1, tzinfo=UTC)
LAUNCHED_AT = ENDS_AT - timedelta(days=30)
OFFER = an_offer("offer_1", merchant_id="m_000000")
FEW = {"min_export": 100}
PLAN = {
    "name": "who is moved",
    "item_ids": ["offer_1"],
    "channel": "push",
    "holdout_bps": 5000,
    "pia_ref": "PIA-1",
    "budget": {"amount": {"amount_minor": 10**9, "currency": "CNY"}},
}


@pytest.fixture
def bank(tmp_path: Path, stores: Stores, log: Log, metrics: Metrics) -> Iterator[Service]:
    """A service with a model of 1,500 simulated cardholders, all of whom agreed to pushes."""
    size = ["--cardholders=1500", "--merchants=60", "--transactions=40000", "--items=20"]
    drawn = ["--out", str(tmp_path / "world"), "--seed=3", "--exposures=1"]
    ran("simulate", *size, *drawn, f"--ends-at={ENDS_AT.isoformat()}")
    (tmp_path / "catalog.ndjson").write_bytes(orjson.dumps(OFFER))
    running = Service.assembled(tmp_path / "shelf", stores, log, metrics, **FEW)
    running.clock.now = LAUNCHED_AT
    assert running.ask("PUT", "/v1/offers/offer_1", OFFER).status_code == 201
    people = [(who, Profile(), ALLOWED) for who in spent_before(tmp_path, ENDS_AT)]
    stores.cardholders.put_many("demo", people)
    train(tmp_path)
    running.look()
    yield running
    running.close()


def ran(*arguments: str) -> None:
    done = CliRunner().invoke(group, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def train(folder: Path, *more: str) -> None:
    files = (f"--usage={folder}/world/usage.parquet", f"--catalog={folder}/catalog.ndjson")
    to = (f"--shelf={folder}/shelf", "--issuer=demo", "--force")
    ran("run", *files, *to, *more)


def spent_before(folder: Path, at: datetime) -> dict[str, int]:
    """What each cardholder spent in the 90 days before an instant."""
    usage = pl.scan_parquet(folder / "world/usage.parquet")
    counts = pl.col("occurred_at").is_between(at - timedelta(days=90), at, closed="left")
    settled = pl.col("status").is_in(["settled", "approved"])
    spent = (pl.col("amount_minor") * (counts & settled)).sum()
    rows = usage.group_by("cardholder_id").agg(spent).collect().rows()
    return {str(who): int(amount) for who, amount in rows}


def post(bank: Service, path: str, body: Any = None) -> Any:
    headers = {"Idempotency-Key": f"{path}-{bank.clock().isoformat()}"}
    answer = bank.ask("POST", path, body, headers=headers)
    assert answer.status_code in (200, 201), answer.json
    return answer.json


def launch(bank: Service, **audience: Any) -> str:
    """A campaign that runs for two weeks from now and whose pushes have left."""
    now = bank.clock()
    window = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=14)).isoformat()}
    planned = post(bank, "/v1/campaigns", {**PLAN, **window, "audience": audience})
    campaign_id = str(planned["campaign_id"])
    post(bank, f"/v1/campaigns/{campaign_id}:launch")
    own = Outreach.of(settings(**FEW), bank.stores, bank.services.slot, bank.clock)
    worker = Dispatcher(own, "test", bank.stores.cardholders, Metrics())
    while not worker.look("demo").is_idle:
        pass
    return campaign_id


def addressed(bank: Service, campaign_id: str) -> list[str]:
    told = bank.ask("GET", f"/v1/campaigns/{campaign_id}/audience?format=ndjson").text
    return [json.loads(line)["cardholder_id"] for line in told.splitlines()]


def test_a_campaign_teaches_whom_a_push_moves_and_the_next_audience_asks_for_them(
    bank: Service, tmp_path: Path, clean_environment: dict[str, str], store_url: str
) -> None:
    spent = spent_before(tmp_path, LAUNCHED_AT)
    middle = np.median([amount for amount in spent.values() if amount])
    first = launch(bank)
    pushed = addressed(bank, first)
    activate(bank.stores, [who for who in pushed if spent[who] > middle], "offer_1", LAUNCHED_AT)
    bank.clock.pass_time(days=30)
    path = tmp_path / "pushes.ndjson"
    export = ["campaigns", "export", "--issuer=demo", f"--out={path}"]
    done = run_command(export, clean_environment, redis_url=store_url, retention_days="3650")
    assert done.returncode == 0, done.stderr
    train(tmp_path, f"--pushes={path}")
    bank.look()

    asked = {"item_id": "offer_1", "channel": "push", "filter": "uplift >= p70"}
    estimate = post(bank, "/v1/audiences:estimate", asked)
    second = launch(bank, filter="uplift >= p70")
    moved = addressed(bank, second)

    now = spent_before(tmp_path, ENDS_AT)
    big = [now[who] > middle for who in moved]
    anyone = np.mean([amount > middle for amount in now.values()])
    assert 600 < len(pushed) < 900
    assert estimate["matched"] == pytest.approx(0.3 * len(now), abs=50)
    assert 0.1 * len(now) < len(moved) < 0.2 * len(now)
    assert np.mean(big) > 0.9 > 1.5 * anyone
