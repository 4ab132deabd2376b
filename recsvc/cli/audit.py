"""``recsvc audit verify``."""

from datetime import UTC, datetime

import click
import orjson

from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.settings import read_settings
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.audit_note import NoteError, read_note


@click.group("audit")
def command() -> None:
    """Read and verify the audit log."""


@command.command()
@click.option("--issuer", required=True, help="whose log")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def verify(*, issuer: str, as_json: bool) -> None:
    """Hold every entry against its hash and the one before; exit code 1 names the first broken.

    The log is held against what the archiver noted of it on the shelf (RECSVC_SHELF) as well, so
    that one which is gone or was begun anew does not hold.
    """
    check_issuer(issuer)
    try:
        seen = read_note(read_settings().shelf / issuer)
    except NoteError as error:
        raise click.ClickException(str(error)) from error
    with stores_of_settings() as stores:
        log = AuditLog(stores.durable, stores.deny_list, lambda: datetime.now(UTC))
        verdict = log.verify(issuer, seen)
    if as_json:
        click.echo(orjson.dumps(verdict.document()))
    if verdict.broken_seq is not None:
        raise click.ClickException(f"entry {verdict.broken_seq}: {verdict.reason}")
    if not as_json:
        noted = "nothing was noted of it on the shelf"
        if verdict.witnessed is not None:
            noted = f"entry {verdict.witnessed} is as it was noted on the shelf"
        click.echo(f"{verdict.entries} entries hold; the last hash is {verdict.head}; {noted}")
