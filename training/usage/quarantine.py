"""Rows that were not accepted, each on a line with its file, its line there and the reason."""

import json
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from embeddings.pan import redact
from training.usage.draft import Draft

LONG_NUMBER = re.compile(r"\d(?:[\s.\u2010-\u2015-]{0,2}\d){10,}[Xx]?")
TEXT_LIMIT = 500


class Quarantine:
    """A file of one JSON object a line: ``file``, ``line``, ``reason`` and ``row``.

    ``row`` holds the columns that the mapping uses. No card number is in it: any number of eleven
    digits or more is cut to its last four, whether it looks like a card's or not.

    Parameters
    ----------
    path : Path
        Where the file will be; there is none when no row was put aside.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = Draft(path)
        self.rows = 0

    def __enter__(self) -> Self:
        """Open the draft."""
        self._stream = self._draft.opened(lambda file: file.open("w", encoding="utf-8"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the draft unless it was published."""
        self._stream.close()
        self._draft.remove()

    def put(self, file: str, rows: pl.DataFrame) -> None:
        """Put rows aside; they have ``_line`` and ``_reason`` beside the source's columns."""
        for row in rows.iter_rows(named=True):
            entry = {"file": file, "line": row.pop("_line"), "reason": row.pop("_reason")}
            self._stream.write(f"{_line_of({**entry, 'row': row})}\n")
        self.rows += rows.height

    def publish(self) -> None:
        """Put the file in its place; an older one goes when there is nothing to put aside."""
        self._stream.close()
        if self.rows:
            self._draft.publish()
        else:
            self._path.unlink(missing_ok=True)


def masked(text: str) -> str:
    """Return the text with card numbers and all other numbers of eleven digits or more cut."""
    return LONG_NUMBER.sub(lambda found: f"…{re.sub(r'[^0-9]', '', found[0])[-4:]}", redact(text))


def _line_of(entry: dict[str, Any]) -> str:
    """One entry as JSON, its values as short masked text."""
    row = {
        name: None if value is None else masked(str(value))[:TEXT_LIMIT]
        for name, value in entry["row"].items()
        if not name.startswith("_") or name == "_text"
    }
    return json.dumps({**entry, "row": row}, ensure_ascii=False)
