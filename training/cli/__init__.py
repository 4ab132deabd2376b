"""The data team's commands, one file each, loaded when asked for.

Every command takes ``--json``: one JSON object on standard output, progress on standard error.
"""

import importlib
import json
import os
import sys
from typing import Any

import click

from training.allocators import be_thrifty, share_heaps
from training.errors import TrainingError

COMMANDS = {
    "benchmark": "figures of one model on one-line-a-user files, as in the Gowalla data",
    "coupons": "real campaigns' coupons against real redemptions",
    "evaluate": "figures of the model and of every baseline on one usage table",
    "illustrate": "a catalogue to look at, at the merchants of any card usage",
    "import": "any issuer's columns into ours: checked, normalised, quarantined, reported",
    "models": "list, show, promote, roll back, pin and prune published bundles",
    "offers": "lists of offers and benefits against the truth of a simulation",
    "report": "the report of a published bundle, as JSON or as a page",
    "run": "the whole job: usage and catalogue in, published bundle out",
    "simulate": "an issuer drawn from known tastes, with the truth beside it",
    "tune": "search parameters on a slice cut from train in time",
}
MODULE_OF = {"import": "import_usage"}


class LazyCommands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, or None for click's own message."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"training.cli.{MODULE_OF.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recsvc")
def group() -> None:
    """Turn card usage into a published bundle of embeddings."""


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON object on standard output; NaN and Infinity are refused."""
    click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False, default=str))


def main() -> None:
    """Run one command; a TrainingError becomes one line on standard error and exit code 1."""
    be_thrifty(os.environ)
    share_heaps(os.environ)
    try:
        group()
    except TrainingError as error:
        click.echo(f"recsvc-train: {error}", err=True)
        sys.exit(1)
