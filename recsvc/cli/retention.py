"""``recsvc retention``."""

from dataclasses import asdict
from datetime import UTC, datetime

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import stores_of_settings
from recsvc.settings import read_settings
from recsvc.stores.keys.table import TABLE
from recsvc.stores.rights.retention import Retention
from recsvc.workers.archive_days import end_days


@click.group("retention")
def command() -> None:
    """Show how long everything is kept, and end what was kept long enough."""


@command.command()
@click.option(
    "--archive-days",
    type=click.IntRange(1, 36_500),
    help="also delete what was archived so many days ago; the archive is kept unless given",
)
@ACTOR
def run(*, archive_days: int | None, actor: str | None) -> None:
    """End events and budget days past their time, for every issuer; meant for each night."""
    settings, now = read_settings(), datetime.now(UTC)
    days = settings.retention_days
    with stores_of_settings() as stores:
        issuers = sorted(stores.changes.marks(()).issuers)
        for issuer_id in issuers:
            tell(
                stores,
                issuer_id,
                "retention_run",
                actor=actor,
                days=days,
                archive_days=archive_days,
            )
        ended = {one: asdict(Retention(stores.durable).run(one, now, days)) for one in issuers}
    if archive_days is not None:
        for one, counts in ended.items():
            counts["archive_files"] = end_days(settings.archive / one, now, archive_days)
    click.echo(orjson.dumps(ended))


@command.command()
def show() -> None:
    """Print every family of keys: where it lives, how long, and whether it is personal."""
    for family in TABLE:
        ends = family.kept if family.ttl_seconds is None else f"{family.ttl_seconds} s"
        personal = "personal" if family.personal else "-"
        click.echo(f"{family.name}  {family.role}  {personal}  {ends}")
