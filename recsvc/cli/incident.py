"""``recsvc incident export``."""

from datetime import UTC, datetime
from typing import Any

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import stores_of_settings
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.incidents import Incident, IncidentStore, Touched, Window
from recsvc.stores.outreach.rosters import RosterStore


def _instant(_context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    """An aware instant of RFC 3339; naive ones are refused, as nobody knows their zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("no instant, such as 2026-03-01T08:00:00Z", param=option) from None
    if found.tzinfo is None:
        raise click.BadParameter("has no zone; add Z or an offset", param=option)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise click.BadParameter("lies where UTC has no year", param=option) from None


@click.group("incident")
def command() -> None:
    """Find out whom an incident touches."""


@command.command()
@click.option("--issuer", required=True, help="whose cardholders")
@click.option("--since", required=True, callback=_instant, help="first instant, RFC 3339")
@click.option("--until", callback=_instant, help="first instant after it; now unless given")
@click.option("--key", help="only what this credential did, by its id in the audit log")
@click.option("--served", is_flag=True, help="also whose lists were served, whoever asked")
@ACTOR
def export(
    *,
    issuer: str,
    since: datetime,
    until: datetime | None,
    key: str | None,
    served: bool,
    actor: str | None,
) -> None:
    """List the cardholders whose data was read out or changed, as one JSON object.

    From the audit log: data exports, interests and erasures by cardholder, audiences by the
    campaign's roster. Asking is itself an entry.
    """
    now = datetime.now(UTC)
    window = Window(since, until or now, key)
    with stores_of_settings() as stores:
        log = AuditLog(stores.writes, stores.deny_list, lambda: now)
        rosters = RosterStore(stores.durable)
        reader = IncidentStore(stores.durable, stores.cache, log, stores.deny_list, rosters)
        found = reader.of(issuer, window, served=served)
        tell(stores, issuer, "incident_exported", actor=actor, cardholders=len(found.touched))
    click.echo(orjson.dumps(_document(issuer, window, found), option=orjson.OPT_UTC_Z))


def _document(issuer_id: str, window: Window, found: Incident) -> dict[str, Any]:
    rows = sorted(found.touched.values(), key=lambda one: (one.first_at, one.subject))
    return {
        "issuer_id": issuer_id,
        "since": window.since,
        "until": window.until,
        "key": window.actor,
        "audiences_gone": found.audiences_gone,
        "cardholders": [_row(one) for one in rows],
    }


def _row(one: Touched) -> dict[str, Any]:
    return {
        "cardholder_id": one.cardholder_id,
        "subject": one.subject,
        "actions": dict(sorted(one.actions.items())),
        "actors": sorted(one.actors),
        "first_at": one.first_at,
        "last_at": one.last_at,
    }
