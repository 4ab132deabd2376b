"""Whoever chooses people for pushes knows no more of them than their own lists do."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest

from recsvc.domain.campaign.campaign import PushBudget
from recsvc.domain.cardholder import Consent
from recsvc.domain.interests import column_of, interests_of
from recsvc.domain.model import ServingModel
from recsvc.domain.taste import taste_of
from recsvc.outreach.rewriting import AT_A_TIME, rewritten
from recsvc.outreach.rosters import best_rows
from recsvc.outreach.selection import best_for_item, judge_all, may_be_told
from recsvc.stores.assembly import Stores
from tests.outreach import ISSUER, NOON, Town

LATER = NOON + timedelta(days=1)


def model_of(town: Town) -> ServingModel:
    model = town.slot.current(ISSUER)
    assert model is not None
    return model


def delete_interests(town: Town, cardholder_ids: Iterable[str]) -> None:
    """Delete everything that these cardholders are believed to like."""
    for who in cardholder_ids:
        state = town.stores.cardholders.state_of(ISSUER, who)
        for interest in interests_of(model_of(town), state):
            column = column_of(interest.tag)
            assert column is not None
            town.stores.cardholders.delete_interest(ISSUER, who, column, LATER)


@pytest.mark.parametrize("items", [("offer_0",), ("offer_0", "offer_2")])
def test_P17b_a_deleted_interest_chooses_nobody_for_pushes(
    stores: Stores, items: tuple[str, ...]
) -> None:
    town = Town.of(stores, 100)
    town.launch(campaign_id="before", item_ids=items, budget=PushBudget(pushes=30), holdout_bps=0)
    town.run()
    chosen = sorted(town.reached("before"))
    town.clock.pass_time(days=8)

    delete_interests(town, chosen[:10])
    town.launch(campaign_id="after", item_ids=items, budget=PushBudget(pushes=30), holdout_bps=0)
    town.run()
    after = town.reached("after")

    assert len(items) > 1 or len(chosen) == len(after) == 30
    assert after.isdisjoint(chosen[:10])
    assert not after.isdisjoint(chosen[10:])


def test_the_best_for_one_item_are_the_same_by_either_way(stores: Stores) -> None:
    town = Town.of(stores, 90)
    town.consent(town.ids[::7], Consent())
    ground, model = town.outreach.ground, model_of(town)
    asked = ground.asked(ISSUER, town.launch())
    rows = np.arange(90, dtype=np.int64)
    crowd = ground.crowd(model, rows, "push", np.zeros(90, np.bool_))
    _, fallen = may_be_told(model, asked, crowd, NOON)

    for most in (0, 1, 20, 90):
        wanted = best_for_item(model, asked, fallen.allowed, most).rows
        assert best_rows(judge_all(model, asked, crowd, NOON), most).tolist() == wanted.tolist()


def test_the_vectors_are_those_of_their_own_lists(stores: Stores) -> None:
    town = Town.of(stores, AT_A_TIME + 20)
    model, ids = model_of(town), town.ids
    chosen = np.zeros(len(ids), np.bool_)
    chosen[5:] = True
    delete_interests(town, ids[5:7])
    found = rewritten(model, town.stores.cardholders, ids, chosen)

    assert found.places.tolist() == list(range(5, len(ids)))
    assert not found.vectors[:2].any()
    for place, vector in zip(found.places[2:], found.vectors[2:], strict=True):
        own = taste_of(model, town.stores.cardholders.state_of(ISSUER, ids[place])).vector
        assert own is not None
        assert np.array_equal(vector, own)


def test_only_those_who_deleted_something_are_read_one_by_one(stores: Stores) -> None:
    town = Town.of(stores, 30)
    delete_interests(town, ["ch_3"])
    standings = town.outreach.ground.standings.read(ISSUER, town.ids, "push")

    assert np.flatnonzero(standings.forgot).tolist() == [3]
