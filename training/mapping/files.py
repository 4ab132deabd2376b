"""Finds the files of a source, and those that are the same file twice."""

import hashlib
import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from training.errors import BadInputError
from training.mapping.spec import Source


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files to read, in order, and duplicates left out: (duplicate, the file it repeats)."""

    files: tuple[Path, ...]
    duplicates: tuple[tuple[Path, Path], ...]


def folder_of(source: Source, mapping_path: Path, given: Path | None) -> Path:
    """Folder below which the patterns of a source are looked for.

    A folder that the user gave, else that of the package the source names, else the mapping's.
    """
    if given is not None:
        if not given.is_dir():
            raise BadInputError(f"--source {given}: there is no such folder")
        return given
    if source.package is None:
        return mapping_path.parent
    found = importlib.util.find_spec(source.package)
    if found is None or not found.submodule_search_locations:
        raise BadInputError(
            f'{mapping_path.name}: source.package: Python package "{source.package}" is not '
            "installed; install it, or pass its files with --source"
        )
    return Path(found.submodule_search_locations[0])


def find_files(source: Source, folder: Path) -> FoundFiles:
    """Files of a source in the order of their names, each content once.

    Raises
    ------
    BadInputError
        A pattern leaves the folder or finds nothing.
    """
    found: dict[Path, None] = {}
    for pattern in source.files:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise BadInputError(f'source.files: "{pattern}" leads out of {folder}; use --source')
        matches = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not matches:
            raise BadInputError(_nothing_found(pattern, folder))
        found.update(dict.fromkeys(matches))
    return _without_duplicates(list(found))


def _nothing_found(pattern: str, folder: Path) -> str:
    """Sentence about a pattern without a file, with what is there instead."""
    there = sorted(path.name for path in folder.iterdir())
    shown = ", ".join(there[:8]) + (", …" if len(there) > 8 else "")
    return (
        f'source.files: "{pattern}" finds no file below {folder.resolve()}, which '
        f"holds {shown or 'nothing'}; correct the pattern or pass --source DIR"
    )


def _without_duplicates(paths: list[Path]) -> FoundFiles:
    """Keep the first of files with equal content; only files of equal size are compared."""
    sizes: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        sizes[path.stat().st_size].append(path)
    first_of: dict[str, Path] = {}
    kept, duplicates = [], []
    for path in paths:
        alone = len(sizes[path.stat().st_size]) == 1
        key = str(path) if alone else digest(path)
        original = first_of.setdefault(key, path)
        if original == path:
            kept.append(path)
        else:
            duplicates.append((path, original))
    return FoundFiles(tuple(kept), tuple(duplicates))


def digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
