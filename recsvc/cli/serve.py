"""``recsvc serve``."""

import os
import sys

import click

from recsvc.settings import read_settings, serving_environment


@click.command("serve")
def command() -> None:
    """Run the service under gunicorn, in the foreground.

    Replaces this process, so that signals reach gunicorn itself.
    """
    environ = serving_environment(read_settings())
    arguments = [sys.executable, "-m", "gunicorn", "-c", "python:recsvc.gunicorn_conf"]
    os.execve(sys.executable, arguments, environ)  # noqa: S606 - our own interpreter, fixed words
