"""A file beside its place until it is whole: old or new is there, and never a part."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from embeddings.durable import force
from training.errors import BadInputError

Opened = TypeVar("Opened")


class Draft:
    """Where a file is written before it stands in its place.

    Parameters
    ----------
    path : Path
        Where the file will be; an old one there is replaced at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = path.with_name(f".{path.name}.{os.getpid()}.draft")

    def opened(self, opening: Callable[[Path], Opened]) -> Opened:
        """What ``opening`` makes of the draft's file; its folder is made where there is none.

        Raises
        ------
        BadInputError
            Nothing can be written there.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return opening(self.file)
        except OSError as error:
            raise BadInputError(f"{self._path}: cannot be written ({error.strerror})") from error

    def publish(self) -> None:
        """Put the file in its place: bytes on disk first, then one rename."""
        force(self.file)
        self.file.replace(self._path)

    def remove(self) -> None:
        """Remove what was not published."""
        self.file.unlink(missing_ok=True)
