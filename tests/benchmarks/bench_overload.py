"""Three times as many requests at a time as the service takes: what is still answered well?

Run: ``python -m tests.benchmarks.bench_overload [--seconds S] [--rounds R]``.
Two workers of eight threads, each with room for 32 that wait: 80 requests at a time. Clients ask
without pause, also when they were just refused, which no well-behaved one does. Each round loads
with 32 clients, which is the peak, and then with 240.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.bench_serving import ASKED, a_big_service
from tests.benchmarks.load import Load, generate, requests_for
from tests.benchmarks.serving_world import Size

AT_PEAK, OVERLOADED = 32, 240
SIZE = Size(cardholders=20_000, merchants=5_000, items=5_000)


@dataclass(frozen=True, slots=True)
class Round:
    """Both loads of one round, and how it was right after them."""

    peak: Load
    over: Load
    after: Load


def measure(seconds: float, rounds: int) -> list[Round]:
    """Load the service at its peak and beyond, in turn."""
    with tempfile.TemporaryDirectory() as name, a_big_service(Path(name), SIZE, 2) as both:
        server, key = both
        paths = [f"/v1/cardholders/ch_{n}/recommendations" for n in range(ASKED)]
        requests = requests_for(paths, server.address, key)
        generate(server.address, requests, AT_PEAK, 2 * seconds)  # warm
        return [
            Round(
                generate(server.address, requests, AT_PEAK, seconds),
                generate(server.address, requests, OVERLOADED, seconds),
                generate(server.address, requests, AT_PEAK, 1.0),
            )
            for _ in range(rounds)
        ]


def table(rounds: list[Round]) -> dict[str, float]:
    """Figures of the rounds."""

    def median(values: list[float]) -> float:
        return statistics.median(values)

    over = [one.over for one in rounds]
    refused = sorted(latency for load in over for latency in load.refused)
    return {
        "peak_goodput": median([one.peak.goodput for one in rounds]),
        "overload_goodput": median([load.goodput for load in over]),
        "goodput_ratio": median([one.over.goodput / one.peak.goodput for one in rounds]),
        "refused_per_second": median([load.failures / load.seconds for load in over]),
        "refusal_p50_ms": 1000 * refused[len(refused) // 2] if refused else 0.0,
        "refusal_p99_ms": 1000 * refused[int(0.99 * len(refused))] if refused else 0.0,
        "peak_failures": float(sum(one.peak.failures for one in rounds)),
        "recovered_ratio": median([one.after.goodput / one.peak.goodput for one in rounds]),
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    figures = table(measure(chosen.seconds, chosen.rounds))
    sys.stdout.write(json.dumps({k: round(v, 3) for k, v in figures.items()}, indent=2) + "\n")


if __name__ == "__main__":
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    main()
