"""What memory this process takes, and how it is handed back before it is needed elsewhere.

A library that frees memory mostly keeps it for its next need, and a mapped file stays resident
once it was read. On Linux both can be told to let go; elsewhere nothing happens.
"""

import ctypes
import mmap
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
