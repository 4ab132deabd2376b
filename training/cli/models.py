"""``recsvc-train models``: what stands on the shelf, and which of it serves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from embeddings.errors import EmbeddingsError
from embeddings.manifest import Manifest
from embeddings.shelf import Entry, Shelf
from embeddings.signature import read_public_key
from training.cli import print_json
from training.errors import TrainingError


@contextmanager
def told() -> Iterator[None]:
    """A refusal of the shelf or of a bundle becomes one line and exit code 1."""
    try:
        yield
    except EmbeddingsError as error:
        raise TrainingError(str(error)) from error


def on_shelf(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--shelf --issuer --trust --json``; hand it ``shelf`` and ``as_json``."""

    @click.option("--shelf", "root", type=click.Path(path_type=Path), required=True)
    @click.option("--issuer", "issuer_id", required=True)
    @click.option(
        "--trust",
        type=click.Path(path_type=Path),
        multiple=True,
        help="PEM public key; only bundles it signed are opened",
    )
    @click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
    def wrapped(root: Path, issuer_id: str, trust: tuple[Path, ...], **rest: Any) -> None:  # noqa: ANN401
        with told():
            keys = [read_public_key(path) for path in trust]
            function(Shelf(root, issuer_id, trusted=keys), **rest)

    return update_wrapper(wrapped, function)


@click.group("models")
def command() -> None:
    """List, show, promote, roll back, pin and prune published bundles."""


@command.command("list")
@on_shelf
def list_(shelf: Shelf, *, as_json: bool) -> None:
    """Every bundle, oldest first; ``*`` serves."""
    entries = [entry_document(entry) for entry in shelf.entries()]
    if as_json:
        print_json({"issuer_id": shelf.issuer_id, "models": entries})
    for entry in entries if not as_json else []:
        click.echo(_line(entry))
    if not entries:
        click.echo(f"no bundle in {shelf.folder}", err=True)


def entry_document(entry: Entry) -> dict[str, Any]:
    """JSON of one line of the list."""
    manifest = entry.manifest
    told = {} if manifest is None else {"created_at": manifest.created_at, **_sizes(manifest)}
    return {
        "version": entry.version,
        "current": entry.is_current,
        "pinned": entry.is_pinned,
        "fault": entry.fault,
        **told,
    }


def _sizes(manifest: Manifest) -> dict[str, int]:
    return {
        "cardholders": manifest.counts.cardholders,
        "columns": manifest.counts.columns,
        "factors": manifest.counts.factors,
        "transactions": manifest.counts.transactions,
    }


def _line(entry: dict[str, Any]) -> str:
    mark = "*" if entry["current"] else " "
    if entry["fault"]:
        return f"{mark} {entry['version']}  unusable: {entry['fault']}"
    sizes = f"{entry['cardholders']:>10,} cardholders {entry['columns']:>8,} columns"
    return f"{mark} {entry['version']} {sizes}{'  pinned' if entry['pinned'] else ''}"


@command.command("show")
@click.argument("version", required=False)
@on_shelf
def show(shelf: Shelf, version: str | None, *, as_json: bool) -> None:
    """Manifest of a bundle, the one that serves unless named, after verifying every file."""
    chosen = version or shelf.current_version()
    if chosen is None:
        raise TrainingError(f"{shelf.issuer_id}: nothing is published yet; run `recsvc-train run`")
    document = shelf.open(chosen).manifest.model_dump(mode="json")
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if name not in ("files", "canaries"):
            click.echo(f"{name}: {value}")
    click.echo(f"files: {len(document['files'])}, all as their sha256 says")


@command.command("promote")
@click.argument("version")
@on_shelf
def promote(shelf: Shelf, version: str, *, as_json: bool) -> None:
    """Let a version serve, after verifying it."""
    _serving(shelf.promote(version).version, as_json=as_json)


@command.command("rollback")
@on_shelf
def rollback(shelf: Shelf, *, as_json: bool) -> None:
    """Let the version that served before the current one serve again."""
    _serving(shelf.rollback().version, as_json=as_json)


@command.command("pin")
@on_shelf
def pin(shelf: Shelf, *, as_json: bool) -> None:
    """Keep the current version serving while others publish."""
    _serving(shelf.pin(), as_json=as_json)


@command.command("unpin")
@on_shelf
def unpin(shelf: Shelf, *, as_json: bool) -> None:
    """Let the next publication serve again."""
    shelf.unpin()
    _serving(shelf.current_version(), as_json=as_json)


@command.command("prune")
@click.option("--keep", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--min-age-hours",
    type=click.FloatRange(0),
    default=24.0,
    show_default=True,
    help="younger bundles stay",
)
@on_shelf
def prune(shelf: Shelf, keep: int, min_age_hours: float, *, as_json: bool) -> None:
    """Remove old bundles; never the one that serves or the one before it."""
    removed = shelf.prune(keep, min_age_seconds=min_age_hours * 3600)
    if as_json:
        print_json({"removed": removed})
    else:
        click.echo("\n".join(f"removed {v}" for v in removed) or "nothing to remove")


def _serving(version: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"current": version})
    else:
        click.echo(f"serving {version}" if version else "nothing is published yet")
