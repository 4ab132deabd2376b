"""What memory this process takes, and how it is handed back before it is needed elsewhere.

A library that frees memory mostly keeps it for its next need, and a mapped file, a library's own
code among them, stays resident once it was read. On Linux all can be told to let go; elsewhere
nothing happens.
"""

import ctypes
import gc
import mmap
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LARGE_BLOCK_BYTES, HELD_BYTES = 1 << 22, 1 << 24
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""Numbers of glibc's ``mallopt``."""
PART = re.compile(
    r"^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) r-[-x]p [^/\n]*(?P<path>/.*)\n"
    r"(?:[A-Z].*\n)*?Anonymous: +(?P<own>\d+) kB$",
    re.MULTILINE,
)
"""A part of a file that can be run or read and not written, and how much of it is a copy of this
process' own, as ``/proc/self/smaps`` has it."""
READERS = ("polars", "pyarrow")
"""Libraries that are needed for reading tables and then hardly any more, as their paths name them.
"""

RESET_PEAK = "5"
"""What ``/proc/self/clear_refs`` takes to set the peak back to what is resident now."""


def peak_rss_bytes() -> int:
    """Largest resident memory of this process since :func:`forget_peak` (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    """Measure the peak from here on; where the system cannot, the old one stands."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(RESET_PEAK, "ascii")


def give_back() -> None:
    """Hand memory that is free, and kept for later, back to the system."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def map_large_blocks() -> None:
    """Let glibc map every array of 4 MiB or more by itself, so that freeing it hands it back.

    Left alone it stops doing so for any size that was freed once, and what stays in use above a
    freed array keeps it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        mallopt(TRIM_THRESHOLD, HELD_BYTES)


@contextmanager
def what_is_loaded_spared() -> Iterator[None]:
    """Leave everything made so far out of the search for garbage, until the block ends.

    Modules and their functions are no garbage; looking through them again and again, with all
    threads halted, takes a tenth of the time in which tables are read.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def let_go_of_readers() -> None:
    """Drop the code of the libraries that read tables; what is run again is read again.

    Only pages that are still as in the file: those that the loader wrote addresses into stay.
    """
    madvise = getattr(ctypes.CDLL(None), "madvise", None)
    if madvise is not None:
        for start, size in _unwritten(READERS):
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _unwritten(names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Start and size of the mapped parts, with no page of their own, of libraries so named."""
    maps = Path("/proc/self/smaps")
    for found in PART.finditer(maps.read_text() if maps.is_file() else ""):
        if found["own"] == "0" and any(name in found["path"] for name in names):
            start = int(found["start"], 16)
            yield start, int(found["end"], 16) - start


def let_go(*arrays: NDArray[Any]) -> None:
    """Drop the pages of mapped files from memory; they are read again when they are asked for.

    Arrays that no file lies behind are left alone.
    """
    for array in arrays:
        mapped = _map_of(array)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def _map_of(array: NDArray[Any]) -> mmap.mmap | None:
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
