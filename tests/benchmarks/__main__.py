"""``make bench``: every benchmark as a process of its own, then one table.

Each benchmark prints one JSON object; each goal below names a figure in it. Figures are ratios
measured side by side in one run, so they hold on another machine.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """What one figure of a benchmark should reach.

    Parameters
    ----------
    command : module and its options
    figure : dotted name in the JSON
    says : what is measured, in words
    at_least, at_most : the bound; both for a range
    when_named : whether it runs only when its name is asked for, as it takes half an hour
    """

    command: str
    figure: str
    says: str
    at_least: float | None = None
    at_most: float | None = None
    when_named: bool = False

    def bound(self) -> str:
        """The goal as people write it."""
        low = "" if self.at_least is None else f"≥ {self.at_least:g}"
        high = "" if self.at_most is None else f"≤ {self.at_most:g}"
        return " and ".join(part for part in (low, high) if part)

    def is_reached_by(self, value: float) -> bool:
        """Whether a measured value keeps the bound."""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= value <= high


GOALS: tuple[Goal, ...] = (
    Goal("bench_serving", "ratio", "requests/s, whole path ÷ bare route", at_least=0.5),
    Goal("bench_serving", "p99_ratio", "p99, whole path ÷ bare route", at_most=3),
    Goal(
        "bench_serving --memory",
        "growth_bytes",
        "a worker's own memory, 10 k → 1 M cardholders, bytes",
        at_most=5_000_000,
    ),
    Goal(
        "bench_overload", "goodput_ratio", "answers/s at 3 × capacity ÷ at the peak", at_least=0.9
    ),
    Goal("bench_events", "ratio", "events/s over HTTP ÷ bare pipelined XADD", at_least=0.25),
    Goal("bench_audience", "ratio", "top 100 k of 10 M, time ÷ bare product", at_most=2),
    Goal("bench_targeting", "ratio", "targeted ÷ random, incremental activations", at_least=2),
    Goal("bench_campaign", "seconds", "1 M cardholders judged and in the outbox, s", at_most=60),
    Goal("bench_training", "seconds_ratio", "whole job of 10 M rows, time ÷ bare fit", at_most=2),
    Goal("bench_training", "memory_ratio", "whole job's peak memory ÷ matrix", at_most=4),
    Goal("bench_results", "coverage", "95 % intervals that hold the truth", 0.93, 0.97),
    Goal("bench_results", "narrowed", "by how much CUPED narrows them", at_least=0.2),
    Goal(
        "bench_results",
        "daily_false_alarms.joining",
        "false alarms without effect, read daily",
        at_most=0.05,
    ),
)


MEBIBYTE = 1024 * 1024
SOAK = "soak --minutes 30"
GOALS += tuple(
    Goal(SOAK, figure, f"half an hour, a bundle a minute: {says}", at_most=most, when_named=True)
    for figure, says, most in (
        ("own_bytes_per_bundle", "own memory a bundle, bytes", MEBIBYTE),
        ("resident_bytes_per_bundle", "all memory a bundle, bytes", MEBIBYTE),
        ("descriptors_grown", "descriptors more, late − earlier", 1),
        ("versions_held", "bundles mapped at a time", 2),
        ("failures", "requests not answered well", 0),
        ("workers_lost", "workers lost", 0),
    )
)


def measured(command: str) -> dict[str, Any]:
    """The JSON object a benchmark prints; CalledProcessError when it fails."""
    module, *options = command.split()
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    printed: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return printed


def figure_of(document: Mapping[str, Any], name: str) -> float:
    """Value at a dotted name."""
    value: Any = document
    for part in name.split("."):
        value = value[part]
    return float(value)


def lines(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The table, one line a goal that was measured."""
    rows = [("benchmark", "measured", "goal", "reached")]
    for goal in GOALS:
        if goal.command in found:
            value = figure_of(found[goal.command], goal.figure)
            kept = "yes" if goal.is_reached_by(value) else "missed"
            rows.append((goal.says, f"{value:.3g}", goal.bound(), kept))
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]


def is_wanted(goal: Goal, names: Sequence[str]) -> bool:
    """Whether a goal is measured when these are asked for."""
    return any(name in goal.command for name in names) if names else not goal.when_named


def main() -> None:
    """Run the chosen benchmarks, all unless named, and print the table last."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="part of a benchmark's name, e.g. serving")
    wanted = parser.parse_args().names
    chosen = list(dict.fromkeys(goal.command for goal in GOALS if is_wanted(goal, wanted)))
    found = {}
    for command in chosen:
        sys.stderr.write(f"{command} …\n")
        found[command] = measured(command)
        sys.stdout.write(json.dumps({command: found[command]}) + "\n")
        sys.stdout.flush()
    sys.stdout.write("\n" + "\n".join(lines(found)) + "\n")


if __name__ == "__main__":
    main()
