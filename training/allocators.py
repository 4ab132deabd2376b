"""How the libraries that allocate for themselves are told to keep no memory they do not use.

Each reads its word from the environment when it is loaded, so it must be said before; the C library
read its own when the process began, and is told again.
"""

import ctypes
from collections.abc import Mapping, MutableMapping

HEAPS = "MALLOC_ARENA_MAX"
THRIFTY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0",
    HEAPS: "1",
}
"""Arrow allocates as the process does; polars' jemalloc returns at once what was freed; all threads
share one heap, since glibc hands back the end of the first one only.
"""

ARENA_MAX = -8
"""Number of glibc's ``mallopt``."""


def be_thrifty(environment: MutableMapping[str, str]) -> None:
    """Say so, unless the environment says otherwise."""
    for name, word in THRIFTY.items():
        environment.setdefault(name, word)


def share_heaps(environment: Mapping[str, str]) -> None:
    """Tell glibc what the environment says of heaps; other C libraries are left alone.

    To be called before the first thread begins: a heap that is there stays.
    """
    word = environment.get(HEAPS, "")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and word.isdecimal():
        mallopt(ARENA_MAX, int(word))
