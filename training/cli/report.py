"""``recsvc-train report``: the report of a published bundle."""

import webbrowser
from pathlib import Path

import click
import orjson

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from training.cli import print_json
from training.cli.models import told
from training.errors import TrainingError
from training.report.words import lines_of


@click.command("report")
@click.option("--shelf", "root", type=click.Path(path_type=Path), required=True)
@click.option("--issuer", "issuer_id", required=True)
@click.option("--version", help="the one that serves unless named")
@click.option("--open", "in_browser", is_flag=True, help="open the page in a browser")
@click.option("--json", "as_json", is_flag=True, help="the whole report as one JSON object")
def command(
    *, root: Path, issuer_id: str, version: str | None, in_browser: bool, as_json: bool
) -> None:
    """Print the report of a bundle, or open its page."""
    with told():
        shelf = Shelf(root, issuer_id)
        chosen = version or shelf.current_version()
        if chosen is None:
            raise TrainingError(f"{issuer_id}: nothing is published yet; run `recsvc-train run`")
        bundle = shelf.open(chosen)
    document = orjson.loads(_file(bundle, "report.json").read_bytes())
    page = _file(bundle, "report.html")
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join([*lines_of(document), f"page: {page}"]))
    if in_browser:
        webbrowser.open(page.resolve().as_uri())


def _file(bundle: Bundle, name: str) -> Path:
    path = bundle.folder / name
    if not path.is_file():
        raise TrainingError(f"{bundle.version}: has no {name}; it was made by another trainer")
    return path
