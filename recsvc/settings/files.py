"""Files that settings point to: read, or refused by the name of the file and of what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from recsvc.settings.errors import SettingsError

Chosen = TypeVar("Chosen")


def read_file(path: Path, read: Callable[[bytes], Chosen]) -> Chosen:
    """What a file says.

    Parameters
    ----------
    path : Path
    read : of its bytes; ValueError, of which pydantic's is one, for what is wrong in them

    Raises
    ------
    SettingsError
        naming the file, the field where there is one, and what is wrong with it
    """
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        told = (".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, "))
        raise SettingsError(f"{path}: {': '.join(filter(None, told))}") from None
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    except RecursionError:
        raise SettingsError(f"{path}: is nested beyond reason") from None
