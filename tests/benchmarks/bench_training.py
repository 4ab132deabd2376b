"""The whole job on ten million transactions, around a bare ``implicit`` fit on the ready matrix.

Run: ``python -m tests.benchmarks.bench_training [--transactions N] [--keep DIR]``. The table of
stages goes to standard error, the ratios as JSON to standard output.
A simulated issuer is drawn first and not measured. Then, each in a process of its own on all cores:
the bare fit (``implicit``'s own ALS on the matrix as the job builds it, BLAS held to one thread,
as its documentation advises), ``recsvc-train run``, and the bare fit once more, so that a machine
that grows slower or quicker favours neither; the mean of the two bare fits counts. Memory is each
process's largest resident memory, mapped files and library code included, less what it holds once
its libraries are imported; neither starts a process of its own. Seconds are those of the clock, and
of all cores' work.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tests.benchmarks.trainer import run_trainer
from training.allocators import be_thrifty
from training.matrix import build, open_inputs, spool_contacts, survey
from training.pipeline import Request, run
from training.stages import PlainTeller, Stages
from training.weighting import ModelParameters, confidence_matrix

SEED = 7


def peak_bytes() -> int:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def simulate(folder: Path, transactions: int) -> None:
    """Draw an issuer: fifty transactions a cardholder."""
    size = {
        "--cardholders": max(transactions // 50, 100),
        "--merchants": max(min(transactions // 2000, 5000), 100),
        "--transactions": transactions,
        "--seed": SEED,
    }
    given = [str(part) for pair in size.items() for part in pair]
    run_trainer("simulate", "--out", str(folder), *given)


def inputs(folder: Path) -> list[Path]:
    """Usage, catalogue, responses, profiles."""
    names = ("usage.parquet", "catalog.ndjson", "responses.parquet", "cardholders.ndjson")
    return [folder / name for name in names]


def write_matrix(folder: Path) -> None:
    """Build the matrix as the job does and leave it as plain arrays."""
    usage, catalog, events, profiles = inputs(folder)
    model = ModelParameters()
    opened = open_inputs([usage], catalog, events, profiles, model.events)
    found = survey(opened, b"bench")
    with spool_contacts(opened, found) as spool:
        matrix = build(spool, len(found.columns), model.events, as_of_day=found.last_day)
    ready, _ = confidence_matrix(matrix.strength, model)
    for name in ("data", "indices", "indptr"):
        np.save(folder / f"ready_{name}.npy", getattr(ready, name))
    (folder / "ready_shape.json").write_text(json.dumps(ready.shape))


def bare_fit(folder: Path) -> dict[str, Any]:
    """Fit ``implicit`` to the ready matrix and do nothing else."""
    parts = [np.load(folder / f"ready_{name}.npy") for name in ("data", "indices", "indptr")]
    shape = tuple(json.loads((folder / "ready_shape.json").read_text()))
    matrix = sparse.csr_matrix(tuple(parts), shape=shape)
    model, before = ModelParameters(), peak_bytes()
    started, worked = time.perf_counter(), time.process_time()
    with threadpool_limits(1, "blas"):
        bare = AlternatingLeastSquares(
            factors=model.n_factors,
            regularization=model.step.regularisation,
            alpha=1.0,
            iterations=model.iterations,
            random_state=SEED,
        )
        bare.fit(matrix, show_progress=False)
    seconds = time.perf_counter() - started
    matrix_bytes = sum(part.nbytes for part in parts)
    return {
        "seconds": seconds,
        "cpu_seconds": time.process_time() - worked,
        "growth": peak_bytes() - before + matrix_bytes,
        "matrix": matrix_bytes,
        "cells": int(matrix.nnz),
    }


def whole_job(folder: Path) -> dict[str, Any]:
    """Run the job in this process, as the command does."""
    usage, catalog, events, profiles = inputs(folder)
    request = Request(
        usage=(usage,),
        catalog=catalog,
        shelf=folder / "shelf",
        issuer_id="bench",
        events=events,
        profiles=profiles,
        seed=SEED,
    )
    stages, before = Stages(PlainTeller(io.StringIO())), peak_bytes()
    started, worked = time.perf_counter(), time.process_time()
    outcome = run(request, stages, datetime.now(UTC))
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "cpu_seconds": time.process_time() - worked,
        "growth": max(stages.peak_bytes, peak_bytes()) - before,
        "version": outcome.version,
        "stages": stages.as_document(),
        "base": before,
    }


def measured(part: str, folder: Path) -> dict[str, Any]:
    """Run one part in a process of its own and take its answer."""
    module = "tests.benchmarks.bench_training"
    command = [sys.executable, "-m", module, "--part", part, "--keep", str(folder)]
    environment = dict(os.environ)
    be_thrifty(environment)  # as the command itself does before it loads its libraries
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def mean_of(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The bare fit as it was on both sides of the job, and the seconds of each."""
    both = (before, after)
    means = {name: sum(one[name] for one in both) / 2 for name in ("seconds", "cpu_seconds")}
    return {**before, **means, "each_seconds": [one["seconds"] for one in both]}


def table(bare: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """Lines of the report."""
    mb = 1e6
    return [
        f"matrix: {bare['cells']:,} cells, {bare['matrix'] / mb:.0f} MB",
        f"{'':<22}{'seconds':>9}{'MB grown':>10}{'CPU s':>8}",
        *(
            f"{name:<22}{one['seconds']:>9.1f}{one['growth'] / mb:>10.0f}{one['cpu_seconds']:>8.1f}"
            for name, one in (("bare fit", bare), ("whole job", whole))
        ),
        *(
            f"  {s['name']:<20}{s['seconds']:>7.1f}"
            f"{(s['peak_rss_bytes'] - whole['base']) / mb:>10.0f}"
            for s in whole["stages"]
        ),
    ]


def ratios(bare: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """What is compared with the goals, and the figures behind it."""
    return {
        "seconds_ratio": round(whole["seconds"] / bare["seconds"], 3),
        "cpu_ratio": round(whole["cpu_seconds"] / bare["cpu_seconds"], 3),
        "memory_ratio": round(whole["growth"] / bare["matrix"], 3),
        "bare": bare,
        "whole": whole,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="folder of a simulated issuer, made when absent")
    parser.add_argument("--part", choices=["matrix", "bare", "whole"])
    asked = parser.parse_args()
    if asked.part:
        parts = {"matrix": write_matrix, "bare": bare_fit, "whole": whole_job}
        sys.stdout.write(json.dumps(parts[asked.part](asked.keep)) + "\n")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        if not (folder / "usage.parquet").is_file():
            simulate(folder, asked.transactions)
        measured("matrix", folder)
        before, whole, after = (measured(part, folder) for part in ("bare", "whole", "bare"))
        bare = mean_of(before, after)
    sys.stderr.write("\n".join(table(bare, whole)) + "\n")
    sys.stdout.write(json.dumps(ratios(bare, whole)) + "\n")


if __name__ == "__main__":
    main()
