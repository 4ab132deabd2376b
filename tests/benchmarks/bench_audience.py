"""Top 100,000 of 10 million cardholders for one item, against the bare matrix-vector product.

Run: ``python -m tests.benchmarks.bench_audience [--cardholders N] [--repeats R]``.
Writes float32 factors (64 a cardholder, 2.56 GB at 10 million) to a temporary folder, removed
afterwards. One BLAS thread, as in the servers. Both sides read the same memory-mapped file; each
repeat measures them one after the other, and the median of the ratios counts.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.audience.ranking import rank_cardholders
from recsvc.domain.audience.waterfall import Exclusion, waterfall

FACTORS = 64
BLOCK = 250_000


def write_factors(path: Path, cardholders: int) -> NDArray[np.float32]:
    """Random factors on disk, opened read-only."""
    chance = np.random.default_rng(5)
    shape = (cardholders, FACTORS)
    factors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    block = chance.standard_normal((BLOCK, FACTORS), np.float32)
    for start in range(0, cardholders, BLOCK):
        rows = min(BLOCK, cardholders - start)
        factors[start : start + rows] = block[:rows] * np.float32(1 + 1e-7 * start)
    factors.flush()
    del factors
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return mapped


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(cardholders: int, size: int, repeats: int) -> dict[str, float]:
    """Median seconds of both sides and of their ratio."""
    chance = np.random.default_rng(6)
    consent, eligible = chance.random((2, cardholders)) < [[0.6], [0.5]]
    vector = chance.standard_normal(FACTORS, np.float32)
    steps = {Exclusion.NO_CONSENT: consent, Exclusion.NOT_ELIGIBLE: eligible}

    with tempfile.TemporaryDirectory() as folder:
        factors = write_factors(Path(folder) / "cardholders.npy", cardholders)

        def audience() -> object:
            fallen = waterfall(cardholders, steps)
            return rank_cardholders(factors, vector, fallen.allowed, size=size), fallen.counts

        _ = factors @ vector
        times = np.array(
            [(seconds(lambda: factors @ vector), seconds(audience)) for _ in range(repeats)]
        )
    bare, ours = np.median(times, axis=0)
    ratio = float(np.median(times[:, 1] / times[:, 0]))
    return {"bare_seconds": float(bare), "audience_seconds": float(ours), "ratio": ratio}


def main() -> None:
    """Print the figures as one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--cardholders", type=int, default=10_000_000)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    figures = measure(given.cardholders, given.size, given.repeats)
    print(json.dumps({"cardholders": given.cardholders, "size": given.size, **figures}))  # noqa: T201


if __name__ == "__main__":
    main()
