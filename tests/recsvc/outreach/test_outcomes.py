"""What campaigns have taught, as the trainer gets it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsvc.domain.campaign.campaign import Audience, Campaign
from recsvc.outreach.outcomes import Outcome, Unfit
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.incidents import IncidentStore, Window
from recsvc.stores.outreach.rosters import RosterStore
from recsvc.stores.rights.erasure import ErasureStore
from tests.outreach import ISSUER, NOON, Town, activate
from tests.service import run_command
from training.propensity import read_campaigns

DAYS = 14


@pytest.fixture
def town(stores: Stores) -> Town:
    return Town.of(stores)


def meant(town: Town, campaign: Campaign) -> dict[str, bool]:
    """Everybody whom a campaign meant, and whether he was treated."""
    roster = town.outreach.rosters.meant(ISSUER, campaign.campaign_id)
    return {one.cardholder_id: one.treated for part in roster for one in part}


def outcomes(town: Town, campaign: Campaign) -> dict[str, Outcome]:
    found = list(town.outreach.outcomes(DAYS).of(ISSUER, campaign))
    assert len({one.cardholder_id for one in found}) == len(found)
    return {one.cardholder_id: one for one in found}


def names(found: Iterable[Outcome]) -> set[str]:
    return {one.cardholder_id for one in found}


def test_everybody_who_was_meant_is_told_in_his_arm_with_what_he_did_in_time(town: Town) -> None:
    campaign = town.launch(holdout_bps=5_000)
    town.run()
    arms = meant(town, campaign)
    pushed = sorted(who for who, treated in arms.items() if treated)
    held = sorted(arms.keys() - set(pushed))
    activate(town.stores, [*pushed[:40], *held[:9]], "offer_0", NOON)
    activate(town.stores, pushed[50:55], "offer_2", NOON)
    town.clock.pass_time(days=DAYS)
    activate(town.stores, pushed[60:70], "offer_0", town.clock())

    found = outcomes(town, campaign)

    assert {who: one.treated for who, one in found.items()} == arms
    assert names(one for one in found.values() if one.activated) == {*pushed[:40], *held[:9]}
    assert {one.assigned_at for one in found.values()} == {NOON}
    assert not any(one.is_cut_short for one in found.values())


def test_who_was_erased_is_not_told_of(town: Town) -> None:
    campaign = town.launch(holdout_bps=5_000)
    town.run()
    stores, before = town.stores, meant(town, campaign)
    erasure = ErasureStore(stores.writes, stores.ledger, stores.deny_list, stores.idempotency)
    erasure.erase(ISSUER, "ch_4", {"receipt_id": "ers_1"})
    town.clock.pass_time(days=DAYS)

    assert names(outcomes(town, campaign).values()) == before.keys() - {"ch_4"}


def test_a_campaign_teaches_from_the_end_of_its_days_until_its_first_days_are_deleted(
    town: Town,
) -> None:
    campaign = town.launch(holdout_bps=5_000)
    bare = town.launch(campaign_id="c_2", holdout_bps=0)
    reader = town.outreach.outcomes(DAYS)

    assert reader.unfit(ISSUER, campaign) is Unfit.NOT_DRAWN_UP
    town.run()
    assert reader.unfit(ISSUER, bare) is Unfit.NO_HOLDOUT
    assert reader.unfit(ISSUER, campaign) is Unfit.TOO_EARLY
    town.clock.pass_time(days=DAYS)
    assert reader.unfit(ISSUER, campaign) is None
    town.clock.pass_time(days=180 - DAYS)
    assert reader.unfit(ISSUER, campaign) is None
    town.clock.pass_time(seconds=1)
    assert reader.unfit(ISSUER, campaign) is Unfit.PAST_RETENTION


def test_P57_the_command_writes_what_a_training_reads_and_an_officer_finds_whom_it_named(
    town: Town, clean_environment: dict[str, str], store_url: str, tmp_path: Path
) -> None:
    campaign = town.launch(holdout_bps=5_000, audience=Audience(size=200))
    town.launch(campaign_id="c_2", holdout_bps=0)
    town.run()
    arms = meant(town, campaign)
    activate(town.stores, [who for who, treated in arms.items() if treated], "offer_0", NOON)
    path = tmp_path / "pushes.ndjson"
    asked = ["campaigns", "export", "--issuer", ISSUER, "--out", str(path)]

    done = run_command(asked, clean_environment, redis_url=store_url, retention_days="3650")
    told = json.loads(done.stdout)
    (learned,) = read_campaigns(path)

    treated = sum(arms.values())
    counts = {"cardholders": 200, "treated": treated, "activated": treated, "is_cut_short": 0}
    assert told["campaigns"] == [{"campaign_id": "c_1", **counts}]
    assert told["skipped"] == {"c_2": "no_holdout"}
    assert dict(zip(learned.cardholder_ids, learned.treated.tolist(), strict=True)) == arms
    assert learned.outcome.tolist() == learned.treated.tolist()
    assert learned.pushed_at == NOON
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    stores = town.stores
    log = AuditLog(stores.durable, stores.deny_list, lambda: datetime.now(UTC))
    officer = IncidentStore(
        stores.durable, stores.cache, log, stores.deny_list, RosterStore(stores.durable)
    )
    window = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC), None)
    touched = officer.of(ISSUER, window, served=False).touched.values()
    assert {one.cardholder_id for one in touched} == set(arms)


def test_a_name_that_training_would_take_for_parquet_is_refused(
    clean_environment: dict[str, str], store_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "pushes.parquet"
    asked = ["campaigns", "export", "--issuer", ISSUER, "--out", str(path)]

    done = run_command(asked, clean_environment, redis_url=store_url)

    assert done.returncode == 2
    assert "NDJSON is written" in done.stderr
    assert not path.exists()
