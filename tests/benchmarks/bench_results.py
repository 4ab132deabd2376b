"""The proof of the statistics on 400 simulated campaigns with a known effect.

Run: ``python -m tests.benchmarks.bench_results [--campaigns N] [--cardholders N]``.
"""

import argparse
import json
from dataclasses import asdict

from tests.campaigns import false_alarms, proof


def main() -> None:
    """Print the figures as one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--campaigns", type=int, default=400)
    options.add_argument("--cardholders", type=int, default=10_000)
    given = options.parse_args()
    n, size = given.campaigns, given.cardholders
    looks: dict[str, float] = {}
    for word, joining in (("joining", True), ("spending_on", False)):
        any_time, once = false_alarms(n, size // 2, 11, joining=joining)
        looks |= {word: any_time, f"{word}_read_once": once}
    print(json.dumps({**asdict(proof(n, size, 7)), "daily_false_alarms": looks}))  # noqa: T201


if __name__ == "__main__":
    main()
