"""Given items in order for one cardholder, and every reason against those he may not have."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from recsvc.domain.candidates import in_turn
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.eligibility import Refusal
from recsvc.domain.errors import InvalidError
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import Moment
from recsvc.domain.question import (
    MAX_RANKED,
    Candidate,
    Question,
    RankedItem,
    Ranking,
    RefusedItem,
)
from recsvc.domain.recommender import Recommender, circumstances, degraded
from recsvc.domain.taste import taste_of


def rank_items(
    recommender: Recommender,
    model: ServingModel,
    state: CardholderState,
    question: Question,
    item_ids: Sequence[str],
    now: datetime,
) -> Ranking:
    """Order given items for a cardholder, as a list would take them without caps.

    An id that comes twice counts once; the question's limit and placement do not matter.

    Raises
    ------
    InvalidError
        More than 500 ids.
    """
    if len(item_ids) > MAX_RANKED:
        raise InvalidError("/item_ids", f"{len(item_ids)} ids; send at most {MAX_RANKED}")
    ground = recommender.ground(model, state, question, now)
    asked, last_days = ground.asked, ground.taste.last_days
    eligible = model.tables.mask(asked, last_days, ground.by_terms)
    wanted = list(dict.fromkeys(item_ids))
    rows = model.tables.rows(wanted)
    given = np.zeros_like(eligible)
    given[rows] = eligible[rows]
    refused = [i for i in wanted if (row := model.catalog.row(i)) is None or not eligible[row]]
    return Ranking(
        personalised=ground.personalised,
        model_version=model.model_version,
        catalog_version=model.catalog_version,
        ranked=_ranked(model, in_turn(ground.sources, given, max(rows.size, 1))),
        refused=tuple(RefusedItem(i, model.tables.refusals(i, asked, last_days)) for i in refused),
        degraded=degraded(model, state),
    )


def _ranked(model: ServingModel, candidates: Sequence[Candidate]) -> tuple[RankedItem, ...]:
    return tuple(
        RankedItem(rank, model.catalog.items[c.row].item_id, round(c.score, 6), c.source)
        for rank, c in enumerate(candidates, 1)
    )


def refusals_of(
    recommender: Recommender,
    model: ServingModel,
    state: CardholderState,
    item_id: str,
    question: Question,
    now: datetime,
) -> tuple[Refusal, ...]:
    """Every reason why a list would not show an item to a cardholder; empty when it may.

    ``unknown_item`` when the catalogue has no such item.
    """
    taste = taste_of(model, state)
    asked = circumstances(state, question, Moment.of(now, recommender.zone))
    return model.tables.refusals(item_id, asked, taste.last_days)
