"""``recsvc-train evaluate``: the model and every baseline on one usage table."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from training.cli import print_json
from training.cli.telling import teller
from training.comparison import Plan, Pool, contestants, cuts, pooled
from training.comparison.pool import best_rival, lead_over, pairs_of
from training.config import Settings
from training.errors import BadInputError
from training.evaluation import Figures, Judging, Task, evaluate
from training.presets import CARDS, preset
from training.scoring import PRODUCT, VECTORS
from training.stages import Stages, Teller
from training.weighting import ModelParameters

PATH = click.Path(path_type=Path)


@click.command("evaluate")
@click.option("--usage", type=PATH, required=True, help="canonical card usage, parquet or csv")
@click.option(
    "--split-at",
    type=click.DateTime(["%Y-%m-%d"]),
    multiple=True,
    required=True,
    help="first UTC day of the test part; repeat it to pool rolling splits",
)
@click.option("--task", type=click.Choice([t.value for t in Task]), default="new")
@click.option("--k", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--test-days", type=click.IntRange(1), help="length of a test part; all that follows")
@click.option("--min-cardholders", type=click.IntRange(1), default=2, show_default=True)
@click.option("--config", type=PATH, help="settings, TOML; its [model] takes the preset's place")
@click.option("--preset", "name", default=CARDS, show_default=True)
@click.option("--baselines/--no-baselines", default=True, help="the product alone is fast")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *,
    usage: Path,
    split_at: tuple[datetime, ...],
    task: str,
    k: int,
    test_days: int | None,
    min_cardholders: int,
    config: Path | None,
    name: str,
    baselines: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Judge the model and every tuned baseline by time split on the full catalogue."""
    try:
        plan = Plan(
            usage=usage,
            split_at=tuple(when.date() for when in split_at),
            test_days=test_days,
            min_cardholders=min_cardholders,
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error
    model = preset(name) if config is None else Settings.read(config).model
    with teller() as telling:
        how = Judging(k=k, seed=seed)
        pools = compare(plan, model, Task(task), how, Rivals(telling, baselines=baselines))
    document = document_of(plan, Task(task), k, pools, seed)
    print_json(document) if as_json else click.echo(table_of(document))


@dataclass(frozen=True, slots=True)
class Rivals:
    """Who else is compared, and where the progress is told."""

    telling: Teller
    baselines: bool = True


def compare(
    plan: Plan, model: ModelParameters, task: Task, how: Judging, rivals: Rivals
) -> dict[str, Pool]:
    """Figures of everyone over all splits of the plan, the product first."""
    parts: dict[str, list[tuple[Figures, str]]] = {}
    names = []
    stages = Stages(rivals.telling)
    for day, cut in zip(plan.split_at, cuts(plan, model), strict=True):
        with stages.stage(f"{task.value} from {day}"):
            ready = contestants(cut, task, how, model, baselines=rivals.baselines)
            scorers = {name: one.scorer for name, one in ready.items()}
            found = evaluate(scorers, cut.outer.trial, task, how)
        names.append(cut.cardholders)
        for name, figures in found.items():
            parts.setdefault(name, []).append((figures, ready[name].setting))
    everywhere = {name: found for name, found in parts.items() if len(found) == len(names)}
    return {
        name: pooled([f for f, _ in found], [s for _, s in found], names)
        for name, found in everywhere.items()
    }


def document_of(
    plan: Plan, task: Task, k: int, pools: dict[str, Pool], seed: int
) -> dict[str, Any]:
    """JSON of the command; ``split_at`` is a list when there are several."""
    days = [day.isoformat() for day in plan.split_at]
    product = pools[PRODUCT]
    return {
        "task": task.value,
        "k": k,
        "split_at": days[0] if len(days) == 1 else days,
        "cardholders": int(product.recall.size),
        "pairs": pairs_of(product),
        "models": {name: pool.as_document(seed) for name, pool in pools.items()},
        "best_baseline": best_rival(pools, (PRODUCT, VECTORS)),
        "lead": lead_over(pools, PRODUCT, seed),
    }


def table_of(document: dict[str, Any]) -> str:
    """Table for people."""
    k = document["k"]
    lines = [
        f"{document['task']}: {document['cardholders']} cardholders, {document['pairs']} pairs",
        f"{'model':<24}{f'recall@{k}':>12}{'95 % interval':>18}{f'ndcg@{k}':>10}{'coverage':>10}",
    ]
    for name, found in document["models"].items():
        interval = f"{found['recall_low']:.4f}-{found['recall_high']:.4f}"
        lines.append(
            f"{name:<24}{found['recall']:>12.4f}{interval:>18}{found['ndcg']:>10.4f}"
            f"{found['coverage']:>10.4f}"
        )
    return "\n".join([*lines, *leads_of(document)])


def leads_of(document: dict[str, Any]) -> list[str]:
    """For each figure, how far the product is before the baseline that is best by it."""
    rivals = [name for name in document["models"] if name not in (PRODUCT, VECTORS)]
    lines = []
    for figure in ("recall", "ndcg") if rivals else ():
        best = max(rivals, key=lambda name, f=figure: document["models"][name][f])  # type: ignore[misc]
        lead = document["lead"][best][figure]
        interval = f"{lead['low']:+.4f} to {lead['high']:+.4f}"
        lines.append(f"lead over {best} by {figure}: {lead['mean']:+.4f}, 95 % interval {interval}")
    return lines
