"""The service with its decision taken out: what all that stands around it reaches at most.

Every request is let in, reads its cardholder's state from the store and renders ten places, which
are those of the first answer of its worker. Run: ``python -m tests.benchmarks.undecided``, with the
settings of ``recsvc serve``.
"""

import os
import sys
from typing import Any

from flask import Flask

from recsvc.domain.question import Answer
from recsvc.domain.recommender import Recommender
from recsvc.settings import read_settings, serving_environment
from recsvc.wsgi import application as decided

NAME = "tests.benchmarks.undecided"


def application() -> Flask:
    """The service; each worker decides once."""
    decide, first = Recommender.answer, list[Answer]()

    def answer(*asked: Any, **more: Any) -> Answer:
        if not first:
            first.append(decide(*asked, **more))
        return first[0]

    Recommender.answer = answer  # type: ignore[method-assign]
    return decided()


def main() -> None:
    """Run it under gunicorn as ``recsvc serve`` does."""
    command = [sys.executable, "-m", "gunicorn", "-c", "python:recsvc.gunicorn_conf"]
    environ = serving_environment(read_settings())
    os.execve(sys.executable, [*command, f"{NAME}:application()"], environ)  # noqa: S606 - fixed words


if __name__ == "__main__":
    main()
