"""Where an import may write: asked before anything is read."""

from collections.abc import Iterable
from pathlib import Path

from training.errors import BadInputError


def check_destinations(out: Path, quarantine: Path, sources: Iterable[Path]) -> None:
    """Make the folders of the table and of the quarantine; refuse places that cannot be meant.

    Raises
    ------
    BadInputError
        The table's name does not end in ``.parquet``, a place is a folder, one of the files that
        are read, or the same as the other, or its folder cannot be made.
    """
    if out.suffix != ".parquet":
        raise BadInputError(f"--out {out}: is written as parquet; let its name end in .parquet")
    read = {path.resolve() for path in sources}
    for option, path in (("--out", out), ("--quarantine", quarantine)):
        if path.is_dir():
            raise BadInputError(f"{option} {path}: is a folder; write the name of a file in it")
        if path.resolve() in read:
            raise BadInputError(f"{option} {path}: is one of the files to read; write elsewhere")
        _make_folder(option, path.parent)
    if out.resolve() == quarantine.resolve():
        raise BadInputError(f"--out and --quarantine: both are {out}; write two files")


def _make_folder(option: str, folder: Path) -> None:
    """Make one folder, with those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"{option}: the folder {folder} cannot be made ({error.strerror}); choose another"
        ) from error
