"""``recsvc-train offers``: lists of offers and benefits against the truth of a simulation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from training.cli import print_json
from training.config import Settings
from training.exams.fitting import fit_offers
from training.exams.offers import baselines, exam_of, figures, served
from training.simulate.truth import Truth

GROUPS = {
    "regulars": "cardholders with 20 transactions or more",
    "cold_offers": "the same, items that nobody was ever shown",
    "newcomers": "cardholders with fewer than 20 transactions",
}


@click.command("offers")
@click.option(
    "--simulation",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="folder that `simulate` wrote, its truth included",
)
@click.option("--k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--max-cardholders", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--config", type=click.Path(path_type=Path), help="settings, TOML")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", "n_threads", type=click.IntRange(0), default=0, help="0 for all cores")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *,
    simulation: Path,
    k: int,
    max_cardholders: int,
    config: Path | None,
    seed: int,
    n_threads: int,
    as_json: bool,
) -> None:
    """Train as `run` does and compare lists of items with the truth: share of the oracle's nDCG.

    The truth is read after training, and only to judge.
    """
    fitted = fit_offers(
        simulation / "usage.parquet",
        simulation / "catalog.ndjson",
        simulation / "responses.parquet",
        settings=Settings() if config is None else Settings.read(config),
        seed=seed,
        n_threads=n_threads,
    )
    truth = Truth.load(simulation)
    model, plain = fitted.model, replace(fitted.model, appeal=None)
    cold = truth.arrays["item_cold"][truth.item_rows([i.item_id for i in model.catalog.items])]
    answer: dict[str, Any] = {"k": k, "seed": seed, "groups": {}}
    for newcomers in (False, True):
        exam = exam_of(
            model, truth, newcomers=newcomers, seed=seed, max_cardholders=max_cardholders
        )
        scores = {
            "product": served(model, exam.rows),
            "usage_alone": served(plain, exam.rows),
            **baselines(model, fitted.seen, exam.rows, seed),
        }
        parts = {"newcomers": exam} if newcomers else {"regulars": exam, "cold_offers": exam}
        for name, part in parts.items():
            asked = part.only(cold) if name == "cold_offers" else part
            answer["groups"][name] = figures(asked, scores, k=k, seed=seed, rounds=1000)
    if as_json:
        print_json(answer)
        return
    click.echo(f"share of the oracle's nDCG@{k}, 95 % interval over cardholders\n")
    for name, group in answer["groups"].items():
        click.echo(f"{name}: {GROUPS[name]} ({group['cardholders']})")
        for model_name, one in sorted(group["models"].items(), key=lambda m: -m[1]["ndcg"]):
            low, high = one["ndcg_low"], one["ndcg_high"]
            click.echo(f"  {model_name:17} {one['ndcg']:.4f}  [{low:.4f}, {high:.4f}]")
