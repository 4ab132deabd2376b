"""``recsvc-train oracle``: a bundle against the truth of the simulated issuer it learned from."""

from pathlib import Path

import click

from training.cli import print_json
from training.oracle import shares

PATH = click.Path(path_type=Path)


@click.command("oracle")
@click.option("--simulated", type=PATH, required=True, help="folder that `simulate` wrote")
@click.option("--bundle", type=PATH, required=True, help="folder of a bundle trained on it")
@click.option("--k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--sample", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *, simulated: Path, bundle: Path, k: int, sample: int, seed: int, as_json: bool
) -> None:
    """Share of the oracle's nDCG, for warm and cold cardholders and for cold offers."""
    found = shares(simulated, bundle, k=k, sample=sample, seed=seed)
    if as_json:
        print_json({"k": k, **{name: share.as_document() for name, share in found.items()}})
        return
    for name, share in found.items():
        click.echo(
            f"{name:<18}{share.product:8.1%} of the oracle ({share.low:.1%} to {share.high:.1%}), "
            f"popular {share.popular:.1%}, chance {share.chance:.1%}, {share.cardholders} people"
        )
