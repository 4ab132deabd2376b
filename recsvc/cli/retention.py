"""``recsvc retention``."""

from datetime import UTC, datetime

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import stores_of_settings
from recsvc.settings import read_settings
from recsvc.stores.keys.table import TABLE
from recsvc.stores.rights.retention import Retention


@click.group("retention")
def command() -> None:
    """Show how long everything is kept, and end what was kept long enough."""


@command.command()
@ACTOR
def run(*, actor: str | None) -> None:
    """End events and budget days past their time, for every issuer; meant for each night."""
    now, days = datetime.now(UTC), read_settings().retention_days
    with stores_of_settings() as stores:
        issuers = sorted(stores.changes.marks(()).issuers)
        for issuer_id in issuers:
            tell(stores, issuer_id, "retention_run", actor=actor, days=days)
        ended = {one: Retention(stores.durable).run(one, now, days) for one in issuers}
    click.echo(orjson.dumps(ended))


@command.command()
def show() -> None:
    """Print every family of keys: where it lives, how long, and whether it is personal."""
    for family in TABLE:
        ends = family.kept if family.ttl_seconds is None else f"{family.ttl_seconds} s"
        personal = "personal" if family.personal else "-"
        click.echo(f"{family.name}  {family.role}  {personal}  {ends}")
