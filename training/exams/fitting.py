"""A model of usage and responses as a run would publish it, without publishing it."""

from dataclasses import dataclass, replace
from pathlib import Path

from embeddings.model import Model
from training import als
from training.appeal import AppealRule, Impressions, learn, read_impressions
from training.assembly import assemble, without_empty
from training.config import Settings
from training.matrix import build, homes_of, open_inputs, spool_contacts, survey

HASH_KEY = b"evaluation"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model and what it learned of items from.

    Parameters
    ----------
    model : Model
    seen : Impressions
    """

    model: Model
    seen: Impressions


def fit_offers(
    usage: Path, catalog: Path, events: Path, *, settings: Settings, seed: int, n_threads: int
) -> Fitted:
    """Fit the whole window of usage, then learn from all responses.

    Raises
    ------
    BadInputError
        Names the file, and the column or row that is wrong.
    """
    model = fit_usage(usage, catalog, events, settings=settings, seed=seed, n_threads=n_threads)
    limit = AppealRule().max_cardholders
    seen = read_impressions(events, model.cardholders, model.catalog, max_cardholders=limit)
    return Fitted(replace(model, appeal=learn(model, seen, n_threads=n_threads)), seen)


def fit_usage(
    usage: Path,
    catalog: Path,
    events: Path | None,
    *,
    settings: Settings,
    seed: int,
    n_threads: int,
) -> Model:
    """Fit the whole window of usage, and of responses as history; nothing is learned of items."""
    rule = settings.model.events
    inputs = open_inputs([usage], catalog, events, None, rule)
    found = survey(inputs, HASH_KEY)
    with spool_contacts(inputs, found) as spool:
        homes = homes_of(spool, found, None)
        matrix = build(spool, len(found.columns), rule, as_of_day=found.last_day)
    table = without_empty(matrix, found, homes)
    factors = als.fit(table.matrix.strength, settings.model, seed, n_threads=n_threads)
    return assemble(table, factors, found, inputs.catalog)
