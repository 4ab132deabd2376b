"""``recsvc catalog import``."""

from collections import Counter
from pathlib import Path

import click
import orjson

from embeddings.catalog import read_catalog
from embeddings.catalog.item import item_document
from recsvc.api.http.screening import found_in_value
from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.stores.catalog import Written


@click.group("catalog")
def command() -> None:
    """Bring in benefits and merchant offers."""


@command.command("import")
@click.option("--issuer", required=True, help="whose catalogue it is")
@ACTOR
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def bring_in(*, issuer: str, file: Path, actor: str | None, as_json: bool) -> None:
    """Import a catalogue: NDJSON, one benefit or merchant offer a line.

    The whole file is checked first; with a bad line nothing is written. Items that are not in the
    file stay as they are.
    """
    check_issuer(issuer)
    items = read_catalog(file).items
    if not items:
        click.echo(f"warning: {file} holds no item, so the catalogue stays as it is", err=True)
    for item in items:
        found = found_in_value(item_document(item))
        if found is not None:
            raise click.ClickException(f"{file}: an item holds what must not come in: {found}")
    with stores_of_settings() as stores:
        tell(stores, issuer, "catalog_imported", actor=actor, items=len(items))
        written = stores.catalog.put_many(issuer, items)
    counts = Counter(word for word, _ in written)
    shown = {word.value: counts[word] for word in Written}
    if as_json:
        click.echo(orjson.dumps(shown))
    else:
        click.echo(", ".join(f"{count} {word}" for word, count in shown.items()))
    if counts[Written.KIND_CONFLICT]:
        raise click.ClickException("some ids belong to items of the other kind; see kind_conflict")
