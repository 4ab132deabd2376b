"""``recsvc experiment show|compare``."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import orjson

from recsvc.cli.opening import stores_of_settings
from recsvc.domain.experiment import Rankings
from recsvc.domain.moment import microseconds
from recsvc.domain.results.rankings import Comparison, RankingResult, compare
from recsvc.settings import read_settings
from recsvc.stores.events.comparing import ComparingStore
from recsvc.upkeep.rankings import read_rankings


@click.group("experiment")
def command() -> None:
    """Show the rankings that are compared, and compare them."""


@command.command()
def show() -> None:
    """Print each ranking, its share of the cardholders and how often it explores, as JSON."""
    rankings = read_rankings(read_settings().rankings)
    own = {issuer_id: _shown(one) for issuer_id, one in sorted(rankings.own.items())}
    click.echo(orjson.dumps({**_shown(rankings), "issuers": own}))


def _shown(rankings: Rankings) -> dict[str, Any]:
    arms = rankings.experiment.arms if rankings.experiment else ()
    policies = [rankings.default, *(arm.policy for arm in arms)]
    shown = [
        {"share_bps": rankings.shares()[policy.name], **orjson.loads(orjson.dumps(policy))}
        for policy in policies
    ]
    return {"experiment": rankings.experiment_name, "rankings": shown}


@command.command("compare")
@click.option("--issuer", required=True, help="whose cardholders")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 7), help="to look at")
def compare_(*, issuer: str, days: int) -> None:
    """Compare what cardholders did under each ranking, as one JSON object.

    Each arm is set against the default ranking: means per cardholder, their difference with a 95 %
    interval, and whether chance alone made the arms' sizes. Arms below RECSVC_MIN_REPORT
    cardholders are not told.
    """
    settings = read_settings()
    rankings = read_rankings(settings.rankings).for_issuer(issuer)
    since = datetime.now(UTC) - timedelta(days=days)
    with stores_of_settings() as stores:
        reader = ComparingStore(stores.durable, stores.cache)
        since_ms = microseconds(since) // 1000
        served, deeds = reader.served(issuer, since_ms), reader.deeds(issuer, since_ms)
    found = compare(served, deeds, rankings.shares())
    click.echo(orjson.dumps(_document(rankings, found, settings.min_report)))


def _document(rankings: Rankings, found: Comparison, minimum: int) -> dict[str, Any]:
    default = found.rankings[rankings.default.name]
    is_told = default.cardholders >= minimum  # a difference to a few would tell of them
    return {
        "experiment": rankings.experiment_name,
        "minimum": minimum,
        "mixed": found.mixed if found.mixed >= minimum else None,
        "rankings": {
            name: _told(result) if is_told and result.cardholders >= minimum else None
            for name, result in found.rankings.items()
        },
    }


def _told(result: RankingResult) -> dict[str, Any]:
    return {
        "cardholders": result.cardholders,
        "lists": result.lists,
        "sample_ratio_broken": result.ratio.is_broken if result.ratio else None,
        "per_cardholder": {kind: one.per_cardholder for kind, one in result.outcomes.items()},
        "difference": {
            kind: one.effect and one.effect.told() for kind, one in result.outcomes.items()
        },
    }
