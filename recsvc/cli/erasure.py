"""``recsvc erasure list|find|verify``."""

from pathlib import Path
from typing import Any

import click
import orjson

from embeddings.errors import BundleError
from embeddings.shelf import Shelf
from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import stores_of_settings
from recsvc.settings import Settings, read_settings
from recsvc.stores.assembly import Stores
from recsvc.stores.rights.finding import Finder

ISSUER = click.option("--issuer", required=True, help="the issuer whose cardholder it is")
CARDHOLDER = click.option("--cardholder", required=True, help="his id, as the issuer chose it")


@click.group("erasure")
def command() -> None:
    """Prove that an erased cardholder is gone, and tell the trainer who was erased."""


@command.command("list")
@ISSUER
@click.option("--out", type=click.Path(path_type=Path), required=True, help="file to write")
@ACTOR
def write_list(*, issuer: str, out: Path, actor: str | None) -> None:
    """Write the list of erased cardholders for `recsvc-train run --erased`; it names nobody."""
    with stores_of_settings() as stores:
        tell(stores, issuer, "erased_listed", actor=actor)
        erased = stores.deny_list.all(issuer)
    erased.write(out)
    click.echo(f"{len(erased.hashes)} erased cardholders in {out}")


@command.command()
@ISSUER
@CARDHOLDER
@ACTOR
def find(*, issuer: str, cardholder: str, actor: str | None) -> None:
    """Show where a cardholder still stands: stores, archive and models, as one JSON object."""
    click.echo(orjson.dumps(traces_of(issuer, cardholder, "traces_read", actor)))


@command.command()
@ISSUER
@CARDHOLDER
@ACTOR
def verify(*, issuer: str, cardholder: str, actor: str | None) -> None:
    """Prove an erasure: exit code 0 when nothing of him is left, 1 with what is."""
    traces = traces_of(issuer, cardholder, "erasure_verified", actor)
    click.echo(orjson.dumps(traces))
    if traces["receipt"] is None:
        raise click.ClickException("this cardholder was never erased; see DELETE /v1/cardholders")
    left = {place for place in ("stores", "archive", "models") if traces[place]}
    if left:
        raise click.ClickException(f"still found in: {', '.join(sorted(left))}")


def traces_of(issuer_id: str, cardholder_id: str, action: str, actor: str | None) -> dict[str, Any]:
    """Where a cardholder stands, and the receipt of his erasure; told to the audit log first."""
    settings = read_settings()
    with stores_of_settings() as stores:
        tell(stores, issuer_id, action, actor=actor, cardholder_id=cardholder_id)
        return {
            "receipt": stores.deny_list.receipt(issuer_id, cardholder_id),
            "stores": _in_stores(stores, issuer_id, cardholder_id),
            "archive": _in_archive(settings, issuer_id, cardholder_id),
            "models": _in_models(settings, issuer_id, cardholder_id),
        }


def _in_stores(stores: Stores, issuer_id: str, cardholder_id: str) -> list[str]:
    return Finder((stores.durable, stores.cache)).keys_with(issuer_id, cardholder_id)


def _in_archive(settings: Settings, issuer_id: str, cardholder_id: str) -> dict[str, int | None]:
    """Files with rows of him, and how many; None for a draft that cannot be read to its end.

    Drafts that a killed archiver left are files too; the next one sweeps them up within an hour.
    """
    folder = settings.archive / issuer_id
    files = sorted([*folder.rglob("*.parquet"), *folder.rglob("*.draft")])
    if not files:
        return {}
    from recsvc.workers.archive_files import count_rows_of  # noqa: PLC0415 - a library of its own

    found = {str(path): count_rows_of(path, cardholder_id) for path in files}
    return {path: rows for path, rows in found.items() if rows != 0}


def _in_models(settings: Settings, issuer_id: str, cardholder_id: str) -> list[str]:
    """Bundles on the shelf with a row of him; serving masks it until they are pruned."""
    shelf = Shelf(settings.shelf, issuer_id)
    found = []
    for version in shelf.versions():
        try:
            bundle = shelf.open(version)
        except BundleError:
            continue
        if bundle.model.cardholders.row(cardholder_id) is not None:
            found.append(version)
    return found
