"""``recsvc worker archive|dispatch``: the programs that run beside the server."""

import click

from recsvc.cli.lazy import Lazy, LazyCommands

WORKERS = {
    "archive": Lazy("recsvc.cli.worker_archive", "events to files, erasures, models on record"),
    "dispatch": Lazy("recsvc.cli.worker_dispatch", "audiences, pushes, webhooks, reviews"),
}


@click.group("worker", cls=LazyCommands, lazy=WORKERS)
def command() -> None:
    """Run a program beside the server."""
