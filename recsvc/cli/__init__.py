"""The operator's commands, one file each, loaded when asked for.

A command that prints data takes ``--json``: one JSON object on standard output.
"""

import sys

import click

from embeddings.errors import EmbeddingsError
from recsvc.cli.lazy import Lazy, LazyCommands
from recsvc.domain.errors import DomainError, StoreAwayError, StoreFullError
from recsvc.settings import SettingsError

COMMANDS = {
    "alliance": "share one catalogue among issuers that opt into it",
    "audit": "verify the audit log",
    "campaigns": "hand the trainer what campaigns with a holdout have taught",
    "cardholders": "import profiles and consents",
    "catalog": "import a catalogue file",
    "check-config": "check the settings and show what they come to",
    "dead-letters": "count what the workers could not read",
    "demo": "train, publish, serve and show one answer, all on this machine",
    "erasure": "prove that an erased cardholder is gone",
    "experiment": "show the rankings that are compared, and compare them",
    "incident": "list the cardholders whom an incident touches",
    "keys": "create, list and revoke API keys",
    "retention": "end what was kept long enough",
    "serve": "run the service under gunicorn",
    "worker": "archive events, dispatch pushes",
}
LAZY = {name: Lazy(f"recsvc.cli.{name.replace('-', '_')}", does) for name, does in COMMANDS.items()}
HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=LazyCommands, lazy=LAZY, context_settings=HELP)
@click.version_option(package_name="recsvc")
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
