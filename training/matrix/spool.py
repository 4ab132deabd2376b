"""Contacts by cardholder, on disk.

Rows of one range of cardholders go to one file without a name: memory stays flat whatever the
number of transactions, and a killed process leaves nothing behind.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from training.matrix.contacts import CONTACT, in_words, of_words

ROWS_PER_PART = 100_000
MAX_PARTS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Arranged:
    """Contacts in the order of the parts they go to.

    Parameters
    ----------
    contacts : CONTACT, shape (n,)
    bounds : int64, shape (n_parts + 1,)
        Those of part ``p`` lie from ``bounds[p]`` to ``bounds[p + 1]``.
    """

    contacts: NDArray[np.void]
    bounds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Spool:
    """Contacts in parts, one for each range of cardholder rows; a context manager.

    Parameters
    ----------
    fences : int64, shape (n_parts + 1,)
        Part ``p`` holds cardholder rows ``fences[p]`` to ``fences[p + 1]``, the last left out.
    part_of : int16, shape (n_cardholders,)
        The same, asked by cardholder row.
    files : tuple of binary files
    """

    fences: NDArray[np.int64]
    part_of: NDArray[np.int16]
    files: tuple[IO[bytes], ...]

    @classmethod
    def open(cls, n_cardholders: int, n_rows: int) -> Self:
        """An empty spool with parts of about ``ROWS_PER_PART`` rows, at most ``MAX_PARTS``."""
        most = min(MAX_PARTS, max(n_cardholders, 1))
        n_parts = int(np.clip(n_rows // ROWS_PER_PART, 1, most))
        fences = np.linspace(0, n_cardholders, n_parts + 1).astype(np.int64)
        with ExitStack() as opened:
            files = tuple(opened.enter_context(tempfile.TemporaryFile()) for _ in range(n_parts))
            opened.pop_all()
        part_of = np.repeat(np.arange(n_parts, dtype=np.int16), np.diff(fences))
        return cls(fences, part_of, files)

    def append(self, rows: NDArray[np.void]) -> None:
        """Write contacts to the parts of their cardholders, keeping their order."""
        self.write(self.arranged(rows))

    def arranged(self, rows: NDArray[np.void]) -> Arranged:
        """The contacts by part, those of one part in the order given.

        Those without a cardholder, a column or a kind are left out.
        """
        nowhere = np.int16(len(self))
        counts = (rows["cardholder"] >= 0) & (rows["column"] >= 0) & (rows["kind"] >= 0)
        part = np.append(self.part_of, nowhere)[rows["cardholder"]]
        part[~counts] = nowhere
        order = np.argsort(part, kind="stable")
        bounds = np.r_[0, np.cumsum(np.bincount(part, minlength=len(self) + 1))[:-1]]
        kept = order[: bounds[-1]]
        return Arranged(of_words(in_words(rows).take(kept, axis=0)), bounds)

    def write(self, arranged: Arranged) -> None:
        """Append contacts that are by part."""
        starts, ends = arranged.bounds[:-1], arranged.bounds[1:]
        for file, start, end in zip(self.files, starts, ends, strict=True):
            file.write(arranged.contacts[start:end].data)

    @property
    def rows(self) -> int:
        """Contacts in all parts."""
        return sum(file.tell() for file in self.files) // CONTACT.itemsize

    def part(self, number: int) -> NDArray[np.void]:
        """All contacts of one part, in the order they were written."""
        file = self.files[number]
        file.seek(0)
        return np.frombuffer(file.read(), CONTACT)  # and leaves the file at its end

    def __len__(self) -> int:
        return len(self.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as closing:
            for file in self.files:
                closing.callback(file.close)
