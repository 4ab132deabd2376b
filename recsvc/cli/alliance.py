"""``recsvc alliance open|close|join|leave|list``."""

from collections.abc import Callable
from typing import Any

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.stores.alliances import AllianceStore
from recsvc.stores.assembly import Stores

ISSUER = click.option("--issuer", required=True, help="who takes the catalogue beside his own")
ALLIANCE = click.argument("alliance")
NOT_OPEN = "no alliance of this id is open; see: recsvc alliance list"


@click.group("alliance")
def command() -> None:
    """Share one catalogue among issuers that opt into it.

    An alliance is an issuer id with a catalogue of its own (`recsvc catalog import --issuer`, or a
    key of its own). Nothing of a cardholder, a budget or an event is shared.
    """


@command.command("open")
@ALLIANCE
@ACTOR
def open_it(*, alliance: str, actor: str | None) -> None:
    """Let issuers join an alliance."""
    check_issuer(alliance)
    with stores_of_settings() as stores:
        tell(stores, alliance, "alliance_opened", actor=actor)
        AllianceStore(stores.writes).open(alliance)
    click.echo(f"{alliance} may be joined")


@command.command()
@ALLIANCE
@ACTOR
def close(*, alliance: str, actor: str | None) -> None:
    """Take an alliance's catalogue from all who joined it, within two seconds."""
    with stores_of_settings() as stores:
        alliances = AllianceStore(stores.writes)
        _refuse_unless(alliance in alliances.opened(), NOT_OPEN)
        tell(stores, alliance, "alliance_closed", actor=actor)
        alliances.close(alliance)
    click.echo(f"{alliance} is closed")


@command.command()
@ALLIANCE
@ISSUER
@ACTOR
def join(*, alliance: str, issuer: str, actor: str | None) -> None:
    """Opt an issuer into an alliance: its items are offered to his cardholders too."""
    check_issuer(issuer)
    with stores_of_settings() as stores:
        alliances = AllianceStore(stores.writes)
        _refuse_unless(alliance in alliances.opened(), NOT_OPEN)
        _moved(stores, issuer, "alliance_joined", alliance, actor, alliances.join)
    click.echo(f"{issuer} has joined {alliance}")


@command.command()
@ALLIANCE
@ISSUER
@ACTOR
def leave(*, alliance: str, issuer: str, actor: str | None) -> None:
    """Opt an issuer out again; the alliance's items leave his lists within two seconds."""
    with stores_of_settings() as stores:
        alliances = AllianceStore(stores.writes)
        is_in = alliance in alliances.joined(issuer)
        _refuse_unless(is_in, f"{issuer} has not joined an alliance of this id")
        _moved(stores, issuer, "alliance_left", alliance, actor, alliances.leave)
    click.echo(f"{issuer} has left {alliance}")


@command.command("list")
@click.option("--issuer", help="which of them he has joined")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def show(*, issuer: str | None, as_json: bool) -> None:
    """List alliances that may be joined."""
    with stores_of_settings() as stores:
        alliances = AllianceStore(stores.durable)
        opened = sorted(alliances.opened())
        joined = alliances.joined(issuer) if issuer else frozenset()
    if as_json:
        click.echo(orjson.dumps({"open": opened, "joined": sorted(joined & set(opened))}))
        return
    for one in opened:
        click.echo(f"{one}  joined" if one in joined else one)


def _moved(
    stores: Stores,
    issuer: str,
    action: str,
    alliance: str,
    actor: str | None,
    move: Callable[[str, str], Any],
) -> None:
    """Do it, once it is on the issuer's record."""
    tell(stores, issuer, action, actor=actor, alliance=alliance)
    move(issuer, alliance)


def _refuse_unless(holds: bool, why: str) -> None:  # noqa: FBT001 - one condition
    if not holds:
        raise click.ClickException(why)
