"""How many threads a part of a run works on."""

import os


def workers(n_threads: int) -> int:
    """So many as asked for; 0 asks for one on every core."""
    return n_threads or os.cpu_count() or 1
