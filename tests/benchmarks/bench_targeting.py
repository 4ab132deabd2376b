"""Targeted pushes against random pushes of the same number, on a simulated issuer's own truth.

Run: ``python -m tests.benchmarks.bench_targeting [--cardholders N]``. Simulates an issuer, trains
by the product's own command, and for each live item pushes the best tenth of those who may have
it. What a push adds is known exactly from the truth that the simulation wrote, which training
does not read; so there is no chance in the comparison but that of the random pushes, whose
expectation is taken over all who may have the item.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from recsvc.domain.audience.ranking import rank_cardholders
from tests.benchmarks.trainer import run_trainer
from training.simulate.truth import Truth

SHARE = 10
LEAST = 200


def a_bank(folder: Path, cardholders: int) -> tuple[Bundle, Truth]:
    """A simulated issuer, trained."""
    run_trainer(
        *("simulate", "--out", str(folder), "--cardholders", str(cardholders), "--seed", "11"),
        *("--merchants", "2000", "--transactions", str(60 * cardholders)),
        *("--ends-at", "2026-01-31T00:00:00+08:00"),
    )
    run_trainer(
        *("run", "--usage", str(folder / "usage.parquet"), "--issuer", "demo", "--force"),
        *("--catalog", str(folder / "catalog.ndjson"), "--shelf", str(folder / "shelf")),
        *("--events", str(folder / "responses.parquet")),
        *("--cardholders", str(folder / "cardholders.ndjson")),
    )
    bundle = Shelf(folder / "shelf", "demo").current()
    if bundle is None:
        raise SystemExit("nothing was published")
    return bundle, Truth.load(folder)


def measure(bundle: Bundle, truth: Truth) -> dict[str, float]:
    """Incremental activations of targeted pushes and of random ones, over all live items."""
    model = bundle.model
    ids = model.cardholders.ids(range(len(model.cardholders)))
    composer = bundle.composer()
    targeted = random = 0.0
    per_item = []
    for item in model.catalog.items:
        allowed = truth.eligible(ids, [item.item_id], day=truth.days - 1)[:, 0]
        composed = composer.compose(item)
        if np.count_nonzero(allowed) < LEAST or not composed.pull.any():
            continue
        size = int(np.count_nonzero(allowed)) // SHARE
        best = rank_cardholders(model.factors.cardholders, composed.pull, allowed, size=size)
        added = truth.incremental(ids, [item.item_id])[:, 0]
        got, expected = float(added[best.rows].sum()), size * float(added[allowed].mean())
        targeted, random = targeted + got, random + expected
        per_item.append(got / expected)
    return {
        "items": len(per_item),
        "targeted": targeted,
        "random": random,
        "ratio": targeted / random,
        "median_ratio_of_an_item": float(np.median(per_item)),
    }


def main() -> None:
    """Print the figures as one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--cardholders", type=int, default=20_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(*a_bank(Path(folder), given.cardholders))))  # noqa: T201


if __name__ == "__main__":
    main()
