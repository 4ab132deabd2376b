"""The operator's commands, one file each, loaded when asked for.

A command that prints data takes ``--json``: one JSON object on standard output.
"""

import importlib
import sys

import click

from embeddings.errors import EmbeddingsError
from recsvc.domain.errors import DomainError, StoreAwayError, StoreFullError
from recsvc.settings import SettingsError

COMMANDS = {
    "audit": "verify the audit log",
    "campaigns": "hand the trainer what campaigns with a holdout have taught",
    "cardholders": "import profiles and consents",
    "catalog": "import a catalogue file",
    "check-config": "check the settings and show what they come to",
    "demo": "train, publish, serve and show one answer, all on this machine",
    "erasure": "prove that an erased cardholder is gone",
    "experiment": "show the rankings that are compared, and compare them",
    "incident": "list the cardholders whom an incident touches",
    "keys": "create, list and revoke API keys",
    "retention": "end what was kept long enough",
    "serve": "run the service under gunicorn",
    "worker": "archive events, dispatch pushes",
}
MODULE_OF = {"check-config": "check_config"}


class LazyCommands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, or None for click's own message."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"recsvc.cli.{MODULE_OF.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Run the service that recommends benefits and merchant offers."""


def main() -> None:
    """Run one command; an error of ours becomes one line on standard error and exit code 1."""
    try:
        group()
    except (DomainError, EmbeddingsError, SettingsError) as error:
        click.echo(f"recsvc: {error}{_next_step(error)}", err=True)
        sys.exit(1)


def _next_step(error: Exception) -> str:
    if not isinstance(error, StoreAwayError) or isinstance(error, StoreFullError):
        return ""
    return "; does it run where RECSVC_REDIS_URL and RECSVC_DURABLE_REDIS_URL say?"
