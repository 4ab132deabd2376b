"""``recsvc worker archive|dispatch``: the programs that run beside the server."""

import importlib

import click

WORKERS = {
    "archive": "recsvc.cli.worker_archive",
    "dispatch": "recsvc.cli.worker_dispatch",
}
"""Module of each worker; loaded when asked for, as the archiver needs a library of its own."""


class LazyWorkers(click.Group):
    """A group that imports a worker's module only when that worker is started."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all workers, in order."""
        return sorted(WORKERS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The worker of this name, or None for click's own message."""
        if cmd_name not in WORKERS:
            return None
        command: click.Command = importlib.import_module(WORKERS[cmd_name]).command
        return command


@click.group("worker", cls=LazyWorkers)
def command() -> None:
    """Run a program beside the server."""
