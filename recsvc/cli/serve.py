"""``recsvc serve``."""

import os
import sys

import click

from recsvc.cli.check_config import check_files
from recsvc.listening import refuse_taken
from recsvc.settings import read_settings, serving_environment

INHERITED = {"LISTEN_FDS", "GUNICORN_FD"}
"""Where one of these is set, gunicorn is handed sockets that are open already."""


@click.command("serve")
def command() -> None:
    """Run the service under gunicorn, in the foreground.

    Replaces this process, so that signals reach gunicorn itself.
    """
    settings = read_settings()
    check_files(settings)
    if not INHERITED & os.environ.keys():
        refuse_taken(settings.bind)
    environ = serving_environment(settings)
    arguments = [sys.executable, "-m", "gunicorn", "-c", "python:recsvc.gunicorn_conf"]
    os.execve(sys.executable, arguments, environ)  # noqa: S606 - our own interpreter, fixed words
