"""``recsvc-train simulate``: an issuer drawn from known tastes, with the truth beside it."""

from datetime import UTC, datetime
from pathlib import Path

import click

from training.cli import print_json
from training.errors import BadInputError
from training.simulate.issuer import simulate
from training.simulate.parameters import Parameters
from training.simulate.portrait import portrait


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--cardholders", type=int, required=True, help="How many people hold a card.")
@click.option("--merchants", type=int, required=True, help="How many merchants there are.")
@click.option("--transactions", type=int, required=True, help="Rows of card usage, refunds too.")
@click.option("--seed", type=int, required=True, help="The same seed gives the same bytes.")
@click.option("--items", type=int, default=400, show_default=True, help="Benefits and offers.")
@click.option("--days", type=int, default=365, show_default=True, help="Length of the usage.")
@click.option(
    "--ends-at", default=None, help="Date or instant at which usage ends.  [default: now]"
)
@click.option(
    "--exposures",
    type=float,
    default=25.0,
    show_default=True,
    help="Items shown to a cardholder, on average.",
)
@click.option(
    "--push-effect",
    type=float,
    default=0.8,
    show_default=True,
    help="What a push adds to the log-odds of activating; 0 for nothing.",
)
@click.option(
    "--cold-items",
    type=float,
    default=0.15,
    show_default=True,
    help="Share of items never shown to anyone.",
)
@click.option(
    "--cold-cardholders",
    type=float,
    default=0.08,
    show_default=True,
    help="Share of cardholders whose card is weeks old.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(  # noqa: D103, PLR0917 - one option each; the help is below
    out: Path,
    cardholders: int,
    merchants: int,
    transactions: int,
    seed: int,
    items: int,
    days: int,
    ends_at: str | None,
    exposures: float,
    push_effect: float,
    cold_items: float,
    cold_cardholders: float,
    as_json: bool,  # noqa: FBT001 - click's way to hand over a flag
) -> None:
    asked = Parameters(
        cardholders=cardholders,
        merchants=merchants,
        transactions=transactions,
        seed=seed,
        ends_at=_instant(ends_at),
        items=items,
        days=days,
        exposures=exposures,
        push_effect=push_effect,
        cold_items=cold_items,
        cold_cardholders=cold_cardholders,
    )
    document = simulate(asked, out, lambda line: click.echo(line, err=True))
    if as_json:
        print_json({"out": str(out), **document})
    else:
        click.echo(portrait(out, document))


command.help = """Draw an issuer from known tastes: cardholders, merchants, catalogue, card usage
and responses; the truth is written beside it, in DIR/truth, for evaluators only.

DIR: usage.parquet, catalog.ndjson, cardholders.ndjson, responses.parquet, pushes.parquet,
merchants.parquet, truth/, simulation.json. An earlier simulation in DIR is replaced."""


def _instant(text: str | None) -> datetime:
    """Instant of the option, UTC when it names no offset; now when it is absent."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"--ends-at: {text!r} is no date; write 2026-01-31") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
