"""What must be true of the people, places, usage and responses of a simulated issuer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalog import Catalog, read_catalog
from training.errors import BadInputError
from training.simulate.issuer import simulate
from training.simulate.parameters import Parameters
from training.simulate.purchases import VISIT, settle
from training.simulate.rewards import round_yuan
from training.simulate.spool import in_order, numbered_ids
from training.simulate.truth import Truth


@dataclass(frozen=True, slots=True)
class World:
    """A simulated issuer, read back from its files."""

    usage: pl.DataFrame
    events: pl.DataFrame
    merchants: pl.DataFrame
    people: pl.DataFrame
    pushes: pl.DataFrame
    catalog: Catalog
    truth: Truth

    @property
    def bought(self) -> pl.DataFrame:
        """Purchases: no declines, refunds or reversals."""
        return self.usage.filter(pl.col("status").is_in(["settled", "approved"]))


def parameters(**changes: object) -> Parameters:
    asked = {
        "cardholders": 2000,
        "merchants": 400,
        "transactions": 100_000,
        "items": 200,
        "seed": 11,
        "ends_at": datetime(2026, 3, 1, tzinfo=UTC),
        "exposures": 40.0,
    } | changes
    return Parameters(**asked)  # type: ignore[arg-type]


def read_world(folder: Path) -> World:
    return World(
        usage=pl.read_parquet(folder / "usage.parquet"),
        events=pl.read_parquet(folder / "responses.parquet"),
        merchants=pl.read_parquet(folder / "merchants.parquet"),
        people=pl.read_ndjson(folder / "cardholders.ndjson"),
        pushes=pl.read_parquet(folder / "pushes.parquet"),
        catalog=read_catalog(folder / "catalog.ndjson"),
        truth=Truth.load(folder),
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world") / "sim"
    simulate(parameters(), folder, lambda _: None)
    return read_world(folder)


def test_between_half_and_three_quarters_of_purchases_are_at_a_merchant_visited_before(
    world: World,
) -> None:
    pairs = world.bought.select("cardholder_id", "merchant_id").n_unique()

    assert 0.5 <= 1 - pairs / world.bought.height <= 0.75


def test_a_tenth_of_merchants_takes_more_than_half_and_a_tenth_of_cardholders_a_third(
    world: World,
) -> None:
    by_merchant = world.bought["merchant_id"].value_counts().sort("count", descending=True)["count"]
    by_person = world.bought["cardholder_id"].value_counts().sort("count", descending=True)["count"]

    assert by_merchant.head(40).sum() > 0.5 * world.bought.height
    assert by_person.head(200).sum() > 0.3 * world.bought.height


def test_most_purchases_in_a_city_are_made_at_home_and_none_at_another_citys_shop(
    world: World,
) -> None:
    placed = (
        world.bought.filter(pl.col("city").is_not_null())
        .join(world.people.select("cardholder_id", pl.col("city").alias("home")), "cardholder_id")
        .join(world.merchants.select("merchant_id", pl.col("city").alias("shop")), "merchant_id")
    )

    assert (placed["city"] == placed["home"]).sum() > 0.85 * placed.height
    assert placed.filter(
        pl.col("shop").is_not_null() & (pl.col("shop") != pl.col("city"))
    ).is_empty()


def test_a_merchant_that_closed_for_good_takes_no_purchase_in_the_last_days(world: World) -> None:
    closed = world.merchants.filter(~pl.col("open"))["merchant_id"]
    last_at = world.usage["occurred_at"].max()
    late = world.bought.filter(pl.col("occurred_at").dt.date() == pl.lit(last_at).dt.date())

    assert closed.len() > 10
    assert not set(late["merchant_id"]) & set(closed)


def test_people_pay_more_in_a_restaurant_than_for_the_metro(world: World) -> None:
    median = dict(world.bought.group_by("mcc").agg(pl.col("amount_minor").median()).iter_rows())

    assert median["5812"] > 8 * median["4111"]


def test_refunds_come_after_a_purchase_there_and_never_exceed_it(world: World) -> None:
    back = world.usage.filter(pl.col("status").is_in(["returned", "reversed"]))
    pairs = back.join(
        world.bought, on=["cardholder_id", "merchant_id"], how="left", suffix="_bought"
    ).filter(
        (pl.col("occurred_at_bought") <= pl.col("occurred_at"))
        & (pl.col("amount_minor_bought") >= pl.col("amount_minor"))
    )

    assert 0.01 < back.height / world.usage.height < 0.02
    assert set(back["transaction_id"]) == set(pairs["transaction_id"])


def test_only_the_eligible_are_shown_an_item_and_each_pair_once(world: World) -> None:
    served = world.events.filter(pl.col("type") == "served")
    tiers = {
        row["cardholder_id"]: {card["tier"] for card in row["card_products"]}
        for row in world.people.iter_rows(named=True)
    }
    cities = dict(world.people.select("cardholder_id", "city").iter_rows())
    for who, what, at in served.select("cardholder_id", "item_id", "occurred_at").iter_rows():
        item = world.catalog.get(what)
        assert item is not None
        terms = item.terms
        assert not terms.tiers or tiers[who] & set(terms.tiers)
        assert not terms.cities or cities[who] in terms.cities
        assert terms.starts_at is None or terms.starts_at <= at
        assert terms.ends_at is None or at < terms.ends_at

    assert served.select("cardholder_id", "item_id").is_unique().all()


def test_an_offer_for_lapsed_customers_is_shown_to_nobody_who_was_there_lately(
    world: World,
) -> None:
    served = world.events.filter(pl.col("type") == "served")
    asking = [i for i in world.catalog.items if i.terms.customer_recency]
    checked = 0
    for item in asking:
        recency = item.terms.customer_recency
        assert recency is not None
        assert recency.min_days is not None
        shown = served.filter(pl.col("item_id") == item.item_id)
        visits = world.bought.filter(pl.col("merchant_id") == item.merchants()[0])
        both = shown.join(visits, on="cardholder_id", suffix="_visit")
        days = (
            pl.col("occurred_at").dt.offset_by("8h").dt.date()
            - pl.col("occurred_at_visit").dt.offset_by("8h").dt.date()
        ).dt.total_days()
        assert both.filter(days.is_between(1, recency.min_days)).is_empty()
        checked += shown.height

    assert checked > 0


def test_cold_items_have_no_response_and_the_rest_have_some(world: World) -> None:
    cold = world.truth.arrays["item_cold"]
    seen = set(world.events["item_id"])
    ids = np.array(world.truth.item_ids)

    assert 0.05 < cold.mean() < 0.3
    assert not seen & set(ids[cold])
    assert len(seen & set(ids[~cold])) > 0.7 * (~cold).sum()


def test_activations_are_as_frequent_as_the_truth_says(world: World) -> None:
    served = world.events.filter(pl.col("type") == "served")
    done = world.events.filter(pl.col("type") == "activated").select("cardholder_id", "item_id")
    who = world.truth.cardholder_rows(served["cardholder_id"].to_list())
    what = world.truth.item_rows(served["item_id"].to_list())
    table = world.truth.utility_of_rows(np.arange(2000), np.arange(200))
    chance = 1 / (1 + np.exp(-table[who, what]))
    deviation = np.sqrt((chance * (1 - chance)).sum())
    at_the_very_end = 10

    assert served.height > 20_000
    assert abs(done.height - chance.sum()) < 4 * deviation + at_the_very_end
    for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 1.0)):
        inside = (chance >= low) & (chance < high)
        hit = served.filter(pl.Series(inside)).join(done, on=["cardholder_id", "item_id"]).height
        spread = np.sqrt((chance[inside] * (1 - chance[inside])).sum())
        assert abs(hit - chance[inside].sum()) < 4 * spread + at_the_very_end


def test_the_truth_knows_its_ids_and_refuses_others(world: World) -> None:
    utility = world.truth.utility(["ch_0000001", "ch_0000000"], [world.truth.item_ids[5]])

    assert utility.shape == (2, 1)
    assert utility[1, 0] == world.truth.utility_of_rows(np.array([0]), np.array([5]))[0, 0]
    with pytest.raises(BadInputError, match="ch_9999999"):
        world.truth.utility(["ch_9999999"], [world.truth.item_ids[0]])
    with pytest.raises(BadInputError, match="offer_none"):
        world.truth.utility(["ch_0000001"], ["offer_none"])
    with pytest.raises(BadInputError, match="simulate again"):
        Truth.load(Path("nowhere"))


def test_tastes_show_in_usage(world: World) -> None:
    """Cardholders go more to merchants that their taste draws them to than to others."""
    seen = (
        world.bought.select("cardholder_id", "merchant_id").unique(maintain_order=True).head(3000)
    )
    rows = world.truth.cardholder_rows(seen["cardholder_id"].to_list())
    columns = [int(merchant_id.removeprefix("m_")) for merchant_id in seen["merchant_id"]]
    arrays = world.truth.arrays
    pull = arrays["cardholder_taste"][rows] @ arrays["merchant_position"].T
    chosen = pull[np.arange(rows.size), columns]

    assert rows.size == 3000
    assert (chosen > np.median(pull, axis=1)).mean() > 0.65


def test_pushes_reach_only_those_who_consented(world: World) -> None:
    consent = world.people.select(
        "cardholder_id",
        pl.col("consent").struct.field("personalisation"),
        pl.col("consent").struct.field("marketing").struct.field("push"),
    )
    reached = world.pushes.join(consent, on="cardholder_id")

    assert reached.height == world.pushes.height > 200
    assert reached["push"].all()
    assert reached["personalisation"].all()
    assert 0.4 < reached["treated"].sum() / reached.height < 0.6


def test_a_push_moves_the_persuadable_up_the_put_off_down_and_the_indifferent_not_at_all(
    world: World,
) -> None:
    uplift = world.truth.arrays["cardholder_uplift"]
    ids = [f"ch_{row:07d}" for row in range(uplift.size)]
    added = world.truth.incremental(ids, [world.truth.item_ids[3]])[:, 0]

    assert {-1.0, 0.0, 1.0} == set(np.sign(uplift))
    assert np.array_equal(np.sign(added), np.sign(uplift))


def test_without_effect_a_push_changes_nothing(tmp_path: Path) -> None:
    simulate(parameters(push_effect=0.0, cardholders=100), tmp_path / "sim", lambda _: None)
    truth = Truth.load(tmp_path / "sim")
    ids = [f"ch_{row:07d}" for row in range(100)]

    assert not truth.incremental(ids, truth.item_ids).any()
    assert not truth.spend_lift_share(ids).any()


def test_a_campaigns_mean_outcome_is_the_known_effect(world: World) -> None:
    ids = [f"ch_{row:07d}" for row in range(2000)] * 20
    item = world.truth.item_ids[0]
    treated = np.arange(len(ids)) % 2 == 0
    drawn = world.truth.draw_campaign(np.random.default_rng(5), ids, item, treated, days=14)
    found = drawn.activated[treated].mean() - drawn.activated[~treated].mean()
    known = (
        world.truth.activation(ids, [item], pushed=True)[treated].mean()
        - world.truth.activation(ids, [item], pushed=False)[~treated].mean()
    )
    before, after = drawn.spend_before_minor[~treated], drawn.spend_minor[~treated]

    assert abs(found - known) < 4 * np.sqrt(0.25 / (len(ids) / 2) * 2)
    assert np.corrcoef(before, after)[0, 1] > 0.5


@given(st.floats(0.01, 1e6))
def test_a_poster_figure_is_near_what_was_meant(yuan: float) -> None:
    shown = round_yuan(yuan)

    assert shown >= 1
    assert shown == 1 or 0.5 <= shown / yuan <= 2


@given(st.integers(0, 10**9), st.integers(0, 50))
def test_numbered_ids_are_what_formatting_would_give(first: int, count: int) -> None:
    expected = [f"t_{number:010d}" for number in range(first, first + count)]

    assert numbered_ids("t", first, count).to_pylist() == expected


@given(st.lists(st.lists(st.integers(0, 89 * 86_400), max_size=20), max_size=5))
def test_rows_come_back_in_order_of_time_none_lost_whatever_the_batches(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    rows = []
    for seconds in batches:
        batch = np.zeros(len(seconds), VISIT)
        batch["second"] = seconds
        rows.append(batch)
    pieces = list(in_order(folder, rows, VISIT, 90))
    back = [int(second) for piece in pieces for second in piece["second"]]

    assert back == sorted(second for seconds in batches for second in seconds)
    assert list(folder.iterdir()) == []


def test_as_many_purchases_are_refunded_as_asked_and_none_that_was_declined() -> None:
    made = np.zeros(6, VISIT)
    made["second"], made["amount_minor"] = 100, 500
    owner = np.array([0, 0, 0, 0, 1, 1])
    both = settle(np.random.default_rng(2), made, owner, np.array([4, 1]), 90)

    assert both.size == 11
    assert not (both["status"][:4] == 2).any()
    assert (both["second"][6:] > 100).all()


def test_parameters_without_an_offset_in_time_are_refused() -> None:
    with pytest.raises(BadInputError, match="--ends-at"):
        parameters(ends_at=datetime(2026, 3, 1))  # noqa: DTZ001 - the fault under test
