"""``recsvc campaigns export``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.model import ModelSlot
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.outcomes import Outcome
from recsvc.settings import read_settings
from recsvc.stores.entrance.incidents import OUTCOMES

COUNTED = ("treated", "activated", "is_cut_short")


@click.group("campaigns")
def command() -> None:
    """Hand the trainer what campaigns with a holdout have taught."""


@command.command()
@click.option("--issuer", required=True, help="whose campaigns")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="NDJSON file to write")
@click.option(
    "--days",
    default=14,
    show_default=True,
    type=click.IntRange(1, 90),
    help="from a launch, in which an activation counts; younger campaigns are left out",
)
@ACTOR
def export(*, issuer: str, out: Path, days: int, actor: str | None) -> None:
    """Write who was pushed, who was held out and who activated, for `recsvc-train run --pushes`.

    One line a cardholder and campaign; only its owner may read the file. On standard output one
    JSON object: what each campaign gave, and why others gave nothing.
    """
    check_issuer(issuer)
    if out.suffix == ".parquet":
        raise click.BadParameter(f"{out}: NDJSON is written; let it end in .ndjson")
    now = datetime.now(UTC)
    with stores_of_settings() as stores:
        outreach = Outreach.of(read_settings(), stores, ModelSlot(), lambda: now)
        reader = outreach.outcomes(days)
        every = outreach.campaigns.all(issuer)
        unfit = {one.campaign_id: reader.unfit(issuer, one) for one in every}
        fit = [one for one in every if unfit[one.campaign_id] is None]
        tell(stores, issuer, OUTCOMES, actor=actor, campaign_ids=[one.campaign_id for one in fit])
        with _whole(out) as file:
            told = [_write(file, one, reader.of(issuer, one)) for one in fit]
    skipped = {name: reason for name, reason in unfit.items() if reason is not None}
    click.echo(orjson.dumps({"days": days, "campaigns": told, "skipped": skipped}))


def _write(file: BinaryIO, campaign: Campaign, outcomes: Iterable[Outcome]) -> dict[str, object]:
    """Write the lines of a campaign; returns how many there are of what."""
    cardholders, counts = 0, dict.fromkeys(COUNTED, 0)
    for one in outcomes:
        file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        cardholders += 1
        for name in COUNTED:
            counts[name] += getattr(one, name)
    return {"campaign_id": campaign.campaign_id, "cardholders": cardholders, **counts}


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or as it was before, and that only its owner may read."""
    draft = path.with_name(path.name + ".tmp")
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
