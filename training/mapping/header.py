"""Looks at the top of a file: whether it is csv at all, and has the columns."""

import difflib
from pathlib import Path

from training.errors import BadInputError
from training.mapping.spec import Mapping
from training.usage.quarantine import masked

OTHER_KINDS = {
    b"PK\x03\x04": "a workbook or a zip archive; save it as csv, one sheet a file",
    b"\xd0\xcf\x11\xe0": "an old workbook; save it as csv, one sheet a file",
    b"PAR1": 'a parquet file; write format = "parquet" in [source]',
}
MARKS = (";", "|", ",")
SHOWN = 20


def check_kind(path: Path, start: bytes) -> None:
    """Refuse a file that is no csv by its first bytes."""
    for magic, kind in OTHER_KINDS.items():
        if start.startswith(magic):
            raise BadInputError(f"{path.name}: is not csv but {kind}")


def check_columns(
    path: Path, header: tuple[str, ...], present: list[str], mapping: Mapping
) -> None:
    """Refuse a file that lacks all spellings of a column the mapping reads.

    Parameters
    ----------
    path : Path
        For the message.
    header : tuple of str
        All columns of the file.
    present : list of str
        Columns that rows have: those of the file that were asked for, and of lookups.
    mapping : Mapping
        What is read.
    """
    for target, column in mapping.columns.items():
        missing = [name for name in column.columns if name not in present]
        if missing and (column.combine or len(missing) == len(column.columns)):
            names = " or ".join(f'"{name}"' for name in missing)
            raise BadInputError(
                f"{path.name}: column {names} is missing, {mapping.name} reads {target} from it; "
                f"the file has {_shown(header)}. {_advice(missing[0], header, mapping)}"
            )


def _shown(header: tuple[str, ...]) -> str:
    """Column names for a message; of a file without a header they are a row, so they are masked."""
    names = ", ".join(f'"{masked(name)[:60]}"' for name in header[:SHOWN])
    return f"{names} and {len(header) - SHOWN} more" if len(header) > SHOWN else names


def _advice(missing: str, header: tuple[str, ...], mapping: Mapping) -> str:
    """Say what most likely is the matter."""
    text = " ".join(header)
    if "\ufffd" in text:
        return "Its letters are of another encoding; write the right one in source.encoding"
    others = [mark for mark in MARKS if mark in text and mark != mapping.source.delimiter]
    if len(header) == 1 and others:
        return f'Write delimiter = "{others[0]}" in [source]'
    if len(header) == 1:
        return 'It is one column; if tabs divide it, write delimiter = "\\t" in [source]'
    free = (name for name in header if name not in mapping.used_columns())
    folded = {name.casefold(): name for name in free}
    close = difflib.get_close_matches(missing.casefold(), list(folded), n=1)
    if close:
        return f'Did you mean "{folded[close[0]]}"? If files differ, list both spellings'
    return "Correct the name, or list both spellings; without a header, write names in [source]"
