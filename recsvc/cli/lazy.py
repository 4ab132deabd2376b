"""Commands that are imported when they are called, and listed without.

Some need a library that not every image carries, and none should wait for what the others need.
"""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is not imported yet: the module whose ``command`` it is, and what it does."""

    module: str
    summary: str


class LazyCommands(click.Group):
    """A group that imports a command's module only when that command is called.

    Parameters
    ----------
    lazy : by the names of the commands
    options : as click's own
    """

    def __init__(self, *, lazy: Mapping[str, Lazy], **options: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(**options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands, in order."""
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, or None for click's own message.

        Raises
        ------
        click.ClickException
            a library that the command needs is not there
        """
        if cmd_name not in self._lazy:
            return None
        try:
            command: click.Command = importlib.import_module(self._lazy[cmd_name].module).command
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{cmd_name}: needs {error.name}, which is not installed here; run it where the "
                "whole product is, or in the image that is made for it"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted((name, one.summary) for name, one in self._lazy.items()))
