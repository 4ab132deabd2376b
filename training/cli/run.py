"""``recsvc-train run``: the whole job."""

import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from training.cli import print_json
from training.config import Settings
from training.pipeline import Request, run
from training.stages import PlainTeller, RichTeller, Stages, Teller

READABLE = click.Path(path_type=Path)


@click.command("run")
@click.option(
    "--usage",
    type=READABLE,
    multiple=True,
    required=True,
    help="card usage, parquet or csv; repeatable",
)
@click.option("--catalog", type=READABLE, required=True, help="benefits and offers, NDJSON")
@click.option("--shelf", type=READABLE, required=True, help="folder where bundles are published")
@click.option(
    "--issuer", "issuer_id", required=True, help="id of the issuer; names its folder on the shelf"
)
@click.option(
    "--events", type=READABLE, help="responses: a parquet or NDJSON file, or the archive's folder"
)
@click.option("--cardholders", "profiles", type=READABLE, help="profiles, NDJSON")
@click.option("--erased", type=READABLE, help="list of erased cardholders; else the shelf's own")
@click.option("--scores", is_flag=True, help="learn value and churn risk of cardholders as well")
@click.option(
    "--pushes",
    type=READABLE,
    help="campaigns with a holdout, parquet or NDJSON: learn uplift, and the other scores, as well",
)
@click.option(
    "--split-at", type=click.DateTime(["%Y-%m-%d"]), help="first UTC day of the test part"
)
@click.option("--config", type=READABLE, help="settings, TOML")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", "n_threads", type=click.IntRange(0), default=0, help="0 for all cores")
@click.option("--engine", type=click.Choice(["local"]), default="local", help="where the job runs")
@click.option(
    "--force", is_flag=True, help="publish in spite of the gate; recorded in the manifest"
)
@click.option("--signing-key", type=READABLE, help="PEM of an Ed25519 private key")
@click.option("--report-dir", type=READABLE, help="where the report of a refused run is left")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def command(
    *,
    as_json: bool,
    config: Path | None,
    engine: str,
    split_at: datetime | None,
    usage: tuple[Path, ...],
    **asked: Any,  # noqa: ANN401 - click hands the rest over as the request's own fields
) -> None:
    """Train on card usage and publish a bundle.

    Exit code 0: published; 1: failed, the shelf is as before; 3: refused by the gate.
    """
    del engine
    request = Request(
        **asked,
        usage=usage,
        settings=Settings() if config is None else Settings.read(config),
        split_at=None if split_at is None else split_at.date(),
    )
    with _teller() as teller:
        outcome = run(request, Stages(teller), datetime.now(UTC))
    if as_json:
        print_json(outcome.as_document())
    else:
        click.echo("\n".join(outcome.sentences()))
    sys.exit(outcome.exit_code)


def _teller() -> AbstractContextManager[Teller]:
    """A bar on a terminal, plain lines elsewhere; both on standard error."""
    return RichTeller(sys.stderr) if sys.stderr.isatty() else nullcontext(PlainTeller(sys.stderr))
