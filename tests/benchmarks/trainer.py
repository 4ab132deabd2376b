"""The trainer's own commands, as the data team calls them."""

import subprocess
import sys


def run_trainer(*words: str) -> None:
    """One command; a failure ends the benchmark with the end of what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "training", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"training {words[0]} failed ({done.returncode}):\n{done.stderr[-3000:]}")
