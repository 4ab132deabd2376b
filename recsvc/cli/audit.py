"""``recsvc audit verify``."""

from datetime import UTC, datetime

import click
import orjson

from recsvc.cli.opening import stores_of_settings
from recsvc.stores.entrance.audit import AuditLog


@click.group("audit")
def command() -> None:
    """Read and verify the audit log."""


@command.command()
@click.option("--issuer", required=True, help="whose log")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def verify(*, issuer: str, as_json: bool) -> None:
    """Hold every entry against its hash and the one before; exit code 1 names the first broken."""
    with stores_of_settings() as stores:
        log = AuditLog(stores.durable, stores.deny_list, lambda: datetime.now(UTC))
        verdict = log.verify(issuer)
    if as_json:
        click.echo(orjson.dumps(verdict.document()))
    if verdict.broken_seq is not None:
        raise click.ClickException(f"entry {verdict.broken_seq}: {verdict.reason}")
    if not as_json:
        click.echo(f"{verdict.entries} entries hold; the last hash is {verdict.head}")
