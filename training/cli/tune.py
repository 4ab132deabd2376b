"""``recsvc-train tune``: search parameters on slices cut from train in time."""

from datetime import datetime
from pathlib import Path

import click

from training.cli import print_json
from training.cli.telling import teller
from training.config import Settings, as_toml
from training.evaluation import Task
from training.presets import CARDS, preset
from training.stages import Stages
from training.tuning import Search, tune
from training.tuning_history import history

PATH = click.Path(path_type=Path)


@click.command("tune")
@click.option("--usage", type=PATH, required=True, help="canonical card usage, parquet or csv")
@click.option(
    "--split-at",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="first UTC day of the test part, which is never read",
)
@click.option("--task", type=click.Choice([t.value for t in Task]), default="new")
@click.option("--k", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--slice-days", type=click.IntRange(1), default=91, show_default=True)
@click.option("--slices", type=click.IntRange(1), default=2, show_default=True)
@click.option("--trials", type=click.IntRange(1), default=40, show_default=True)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=20, show_default=True)
@click.option("--study", type=PATH, default=Path("study.journal"), show_default=True)
@click.option("--out", type=PATH, default=Path("tuned.toml"), show_default=True)
@click.option("--history", "picture", type=PATH, default=Path("tuning.svg"), show_default=True)
@click.option("--config", type=PATH, help="settings to start from, TOML")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *,
    usage: Path,
    split_at: datetime,
    task: str,
    k: int,
    slice_days: int,
    slices: int,
    trials: int,
    minutes: float,
    study: Path,
    out: Path,
    picture: Path,
    config: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Search, or go on where the study stands; write the best as a file for ``run --config``."""
    search = Search(
        usage=usage,
        split_at=split_at.date(),
        task=Task(task),
        k=k,
        slice_days=slice_days,
        slices=slices,
        trials=trials,
        minutes=minutes,
        seed=seed,
    )
    start = preset(CARDS) if config is None else Settings.read(config).model
    with teller() as telling, Stages(telling).stage("tune") as stage:
        found = tune(search, start, study, stage.advance)
    out.write_text(as_toml(found.parameters), "utf-8")
    picture.write_text(history(found), "utf-8")
    document = {
        "task": task,
        "k": k,
        "trials": len(found.trials),
        "ndcg": found.value,
        "ndcg_of_start": found.start_value,
        "config": str(out),
        "history": str(picture),
        "parameters": found.parameters.as_document(),
    }
    if as_json:
        print_json(document)
        return
    click.echo(
        f"nDCG@{k} {found.value:.4f} after {len(found.trials)} trials, {found.start_value:.4f} at "
        f"the start; {out} is for run --config, {picture} shows the search"
    )
