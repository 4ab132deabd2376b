"""How the libraries that allocate for themselves are told to keep no memory they do not use.

Each reads its word from the environment when it is loaded, so it must be said before.
"""

from collections.abc import MutableMapping

THRIFTY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0",
}
"""Arrow allocates as the process does; polars' jemalloc returns at once what was freed."""


def be_thrifty(environment: MutableMapping[str, str]) -> None:
    """Say so, unless the environment says otherwise."""
    for name, word in THRIFTY.items():
        environment.setdefault(name, word)
