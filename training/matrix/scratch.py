"""Arrays that grow on disk, in files without a name, and are mapped when they are whole.

A killed process leaves nothing behind: the kernel frees a file without a name with its process.
"""

import tempfile
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch:
    """Several arrays of one length, written part by part; a context manager.

    Parameters
    ----------
    kinds : dtype by name
    """

    def __init__(self, **kinds: DTypeLike) -> None:
        self._kinds = {name: np.dtype(kind) for name, kind in kinds.items()}
        with ExitStack() as opened:
            self._files = {n: opened.enter_context(tempfile.TemporaryFile()) for n in kinds}
            self._closing = opened.pop_all()

    def append(self, **parts: NDArray[Any]) -> None:
        """Write one part of every array."""
        for name, kind in self._kinds.items():
            self._files[name].write(np.ascontiguousarray(parts[name], kind).data)

    def mapped(self) -> dict[str, NDArray[Any]]:
        """Every array, mapped; they outlive the files' names and this object."""
        return {name: self._map(name) for name in self._kinds}

    def _map(self, name: str) -> NDArray[Any]:
        file, kind = self._files[name], self._kinds[name]
        file.flush()
        n = file.tell() // kind.itemsize
        return np.memmap(file, kind, "r+", shape=(n,)) if n else np.empty(0, kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()


def on_disk(table: NDArray[Any]) -> NDArray[Any]:
    """The same table, mapped from a file without a name."""
    with Scratch(cells=table.dtype) as scratch:
        scratch.append(cells=table.ravel())
        return scratch.mapped()["cells"].reshape(table.shape)
