"""``recsvc dead-letters``."""

import click
import orjson

from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.stores.dead_letters import QUEUES, DeadLetters, DeadLetterStore

TEXT = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


@click.command("dead-letters")
@click.option("--issuer", required=True, help="whose events and pushes")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(*, issuer: str, as_json: bool) -> None:
    """Count what the workers could not read and laid aside, by reason, with when.

    It is kept for thirty days and named in no other way: what is in it may be personal.
    """
    check_issuer(issuer)
    with stores_of_settings() as stores:
        found = DeadLetterStore(stores.durable).of(issuer)
    if as_json:
        click.echo(orjson.dumps({"issuer_id": issuer, **_document(found)}, option=TEXT))
    else:
        click.echo("\n".join(map(_line, found)) or "nothing was laid aside in the last 30 days")


def _document(found: list[DeadLetters]) -> dict[str, list[dict[str, object]]]:
    return {queue: [_row(one) for one in found if one.queue == queue] for queue in QUEUES}


def _row(one: DeadLetters) -> dict[str, object]:
    return {
        "reason": one.reason,
        "count": one.count,
        "first_at": one.first_at,
        "last_at": one.last_at,
    }


def _line(one: DeadLetters) -> str:
    when = f"{one.first_at:%Y-%m-%dT%H:%M:%SZ} to {one.last_at:%Y-%m-%dT%H:%M:%SZ}"
    return f"{one.queue}  {one.reason}  {one.count}  {when}"
