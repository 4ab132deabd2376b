"""``recsvc-train coupons``: coupons of campaigns against real redemptions."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from training.cli import print_json
from training.coupons import compare, package_folder, read_campaigns


@click.command("coupons")
@click.option(
    "--tables",
    type=click.Path(path_type=Path),
    help="folder of the Complete Journey tables, parquet; else those of the installed package",
)
@click.option(
    "--from",
    "since",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2017-05-01",
    show_default=True,
    help="first start of a campaign that is judged",
)
@click.option("--k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(*, tables: Path | None, since: datetime, k: int, seed: int, as_json: bool) -> None:
    """Rank the coupons of each campaign for each household that redeemed one."""
    campaigns = read_campaigns(tables or package_folder(), since=since.date())
    result = compare(campaigns, k=k, seed=seed)
    if as_json:
        print_json(asdict(result))
        return
    click.echo(f"{result.campaigns} campaigns, {result.lists} lists, {result.redemptions} redeemed")
    for name, figures in result.models.items():
        click.echo(f"{name:<16} recall@{k} {figures['recall']:.4f}  ndcg@{k} {figures['ndcg']:.4f}")
