"""``recsvc-train illustrate``: a catalogue to look at, at the merchants of any card usage."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from embeddings.catalog import write_catalog
from training.cli import print_json
from training.errors import BadInputError
from training.illustrate import illustrate, most_visited
from training.usage import scan

FILE = click.Path(path_type=Path)


@click.command("illustrate")
@click.option("--usage", type=FILE, required=True, help="card usage, parquet or csv")
@click.option("--out", type=FILE, required=True, help="catalogue to write, NDJSON")
@click.option("--items", type=click.IntRange(1, 5000), default=120, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--now", type=click.DateTime(["%Y-%m-%d"]), help="day that windows lie around, UTC")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *, usage: Path, out: Path, items: int, seed: int, now: datetime | None, as_json: bool
) -> None:
    """Make up benefits and offers at the merchants that most cardholders of USAGE visit.

    They are an illustration: no merchant has agreed to any of them.
    """
    places = most_visited(scan(usage), items)
    day = datetime.now(UTC) if now is None else now.replace(tzinfo=UTC)
    catalog = illustrate(places, items, seed=seed, now=day)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_catalog(out, catalog)
    except OSError as error:
        raise BadInputError(f"--out: {out} cannot be written: {error.strerror}") from error
    kinds: Counter[str] = Counter(item.kind for item in catalog.items)
    at = {merchant for item in catalog.items for merchant in item.merchants()}
    told: dict[str, object] = {
        "out": str(out),
        "items": len(catalog.items),
        **kinds,
        "merchants": len(at),
    }
    if as_json:
        print_json(told)
        return
    click.echo(f"{out}: {len(catalog.items)} items at {len(at)} merchants; an illustration only")
