"""A roster of many parts: everyone is found in it, shown his own rows, and taken out of it."""

import pytest

from recsvc.domain.campaign.campaign import Campaign
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.campaigns import CAMPAIGN_ROSTER
from recsvc.stores.outreach.campaigns import CampaignStore
from recsvc.stores.outreach.rosters import PART_SIZE, Meant, RosterStore, Row, parts_of
from recsvc.stores.rights.export import EXPORTED
from recsvc.stores.rights.sweeping import Sweeper
from tests.recsvc.domain.campaign.worlds import a_campaign

PEOPLE = [f"ch_{number}" for number in range(3 * PART_SIZE + 1)]


def rows(item_id: str) -> list[Row]:
    return [(who, item_id, number % 2 == 0, "", 0.0) for number, who in enumerate(PEOPLE)]


@pytest.fixture
def rosters(stores: Stores) -> RosterStore:
    """Rosters of two campaigns, all cardholders on both; a third one has none yet."""
    campaigns, rosters = CampaignStore(stores.durable), RosterStore(stores.durable)
    for campaign_id in ("c_1", "c_2", "c_3"):
        campaign: Campaign = a_campaign(campaign_id=campaign_id)
        campaigns.add("demo", campaign)
        if campaign_id != "c_3":
            rosters.put("demo", campaign_id, parts_of(rows(f"offer_{campaign_id}")))
    return rosters


def meant(rosters: RosterStore, campaign_id: str) -> list[Meant]:
    return [one for part in rosters.meant("demo", campaign_id) for one in part]


def exported(stores: Stores, who: str) -> object:
    read = EXPORTED[CAMPAIGN_ROSTER.name]
    return stores.durable.ask(lambda store: read(store, "demo", who))


def test_a_roster_is_read_as_it_was_put(rosters: RosterStore) -> None:
    found = meant(rosters, "c_1")

    assert sorted(one.cardholder_id for one in found) == sorted(PEOPLE)
    assert {(one.item_id, one.before_minor) for one in found} == {("offer_c_1", 0.0)}
    assert rosters.has("demo", "c_1")
    assert not rosters.has("demo", "c_3")
    assert meant(rosters, "c_3") == []


def test_P44_everyone_is_told_his_own_row_of_each_roster(
    stores: Stores, rosters: RosterStore
) -> None:
    del rosters

    assert exported(stores, "ch_7") == [
        {"campaign_id": "c_1", "row": ["ch_7", "offer_c_1", False, "", 0.0]},
        {"campaign_id": "c_2", "row": ["ch_7", "offer_c_2", False, "", 0.0]},
    ]
    assert exported(stores, "nobody") == []


def test_P47_who_is_erased_leaves_every_roster_and_nobody_else_does(
    stores: Stores, rosters: RosterStore
) -> None:
    gone = {"ch_0", "ch_7", PEOPLE[-1]}

    removed = Sweeper(stores.durable, stores.cache).sweep("demo", gone.__contains__)

    assert removed == 2 * len(gone)
    for campaign_id in ("c_1", "c_2"):
        left = [one.cardholder_id for one in meant(rosters, campaign_id)]
        assert sorted(left) == sorted({*PEOPLE} - gone)
