"""``recsvc-train benchmark``: one model on one-line-a-user files."""

from dataclasses import asdict
from pathlib import Path

import click

from training.benchmark import Question, run
from training.cli import print_json
from training.cli.telling import teller
from training.presets import CARDS, preset
from training.scoring import PRODUCT
from training.stages import Stages

FILE = click.Path(path_type=Path)


@click.command("benchmark")
@click.option("--train", type=FILE, required=True, help="lines of `user item item …`")
@click.option("--test", type=FILE, required=True, help="the same, to be found")
@click.option("--k", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--preset", "name", default=CARDS, show_default=True, help="cards or places")
@click.option("--model", default=PRODUCT, show_default=True, help="product or most-popular")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *, train: Path, test: Path, k: int, name: str, model: str, seed: int, as_json: bool
) -> None:
    """Fit on TRAIN, rank every item for every user of TEST but those of TRAIN."""
    parameters = preset(name)
    asked = Question(train=train, test=test, model=model, k=k, seed=seed)
    with teller() as telling, Stages(telling).stage("benchmark") as stage:
        result = run(asked, parameters, stage.advance)
    if as_json:
        print_json(asdict(result))
        return
    click.echo(f"recall@{k} {result.recall:.4f}  ndcg@{k} {result.ndcg:.4f}  {result.users} users")
    click.echo(f"fitted in {result.fit_seconds:.0f} s, at most {result.peak_rss_bytes >> 20} MiB")
