"""``recsvc-train illustrate`` on a table whose most visited merchants are known."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from embeddings.catalog import Catalog, MerchantOffer, read_catalog
from training.cli import group
from training.errors import BadInputError
from training.illustrate import Place, illustrate, most_visited
from training.illustrate.trades import category_of, is_for_offers
from training.usage import polars_schema

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def purchases(merchant: str, cardholders: int, **more: Any) -> pl.DataFrame:
    """One purchase of 12.50 pounds by each of so many cardholders."""
    row = {"merchant_id": merchant, "amount_minor": 1250, "currency": "GBP", "occurred_at": NOW}
    rows = [{"cardholder_id": f"ch_{n}", **row, **more} for n in range(cardholders)]
    return pl.DataFrame(rows, schema_overrides=polars_schema())


def usage(*tables: pl.DataFrame) -> pl.LazyFrame:
    """The tables as one, with all canonical columns."""
    table = pl.concat(tables, how="diagonal")
    missing = [pl.lit(None, t).alias(n) for n, t in polars_schema().items() if n not in table]
    return table.with_columns(missing).select(list(polars_schema())).lazy()


def test_places_are_those_that_most_cardholders_visit_and_not_those_with_most_purchases() -> None:
    often = pl.concat([purchases("m_often", 2)] * 9)
    found = most_visited(usage(often, purchases("m_many", 5), purchases("m_some", 3)), 2)

    assert [place.merchant_id for place in found] == ["m_many", "m_some"]
    assert [place.cardholders for place in found] == [5, 3]


def test_declined_and_returned_payments_make_no_place() -> None:
    table = usage(
        purchases("m_declined", 9, status="declined"),
        purchases("m_returned", 9, status="returned"),
        purchases("m_shop", 1, status="settled"),
    )

    assert [place.merchant_id for place in most_visited(table, 9)] == ["m_shop"]


def test_a_code_that_only_a_few_purchases_carry_says_nothing_of_the_merchant() -> None:
    mixed = [
        purchases("m_mixed", 6, category="food-and-drink"),
        purchases("m_mixed", 2, mcc="9402"),
    ]
    clear = [purchases("m_clear", 3, mcc="5812"), purchases("m_clear", 2)]
    found = {p.merchant_id: p for p in most_visited(usage(*mixed, *clear), 9)}

    assert found["m_mixed"].mcc is None
    assert found["m_mixed"].category == "food and drink"
    assert (found["m_clear"].mcc, found["m_clear"].category) == ("5812", "dining")


def test_no_offer_is_made_where_no_bank_would_advertise() -> None:
    table = usage(
        *(purchases(f"m_{mcc}", 5, mcc=mcc) for mcc in ("7995", "9311", "8062", "6011", "5411"))
    )

    assert [place.merchant_id for place in most_visited(table, 9)] == ["m_5411"]
    assert not is_for_offers("8661")
    assert category_of("3011") == "travel"
    assert category_of("1234") == "shopping"


def test_names_are_those_of_the_statement_without_till_and_legal_form() -> None:
    table = usage(purchases("m_tesco", 2, merchant_name="TESCO STORES 6269"), purchases("m_9", 1))

    assert [place.name for place in most_visited(table, 9)] == ["Tesco", "m_9"]


def places(n: int = 10, currency: str = "GBP", typical: float = 40.0) -> list[Place]:
    """Shops of two categories."""
    kinds = [("5812", "dining"), (None, "garden tools")]
    return [
        Place(f"m_{k}", f"Shop {k}", *kinds[k % 2], currency, typical, 100 - k) for k in range(n)
    ]


def test_the_same_arguments_give_the_same_catalogue_and_another_seed_another() -> None:
    first, again = (illustrate(places(), 30, seed=3, now=NOW) for _ in range(2))

    assert first.items == again.items
    assert illustrate(places(), 30, seed=4, now=NOW).items != first.items


@pytest.mark.parametrize("n_items", [1, 7, 30, 200])
def test_as_many_items_as_asked_for_all_live_now_at_known_merchants(n_items: int) -> None:
    found = illustrate(places(), n_items, seed=0, now=NOW)
    known = {place.merchant_id for place in places()}

    assert len(found.items) == n_items
    for item in found.items:
        assert item.terms.starts_at is not None
        assert item.terms.ends_at is not None
        assert item.terms.starts_at < NOW < item.terms.ends_at - timedelta(days=20)
        assert set(item.merchants()) <= known
        assert item.merchants() or item.categories() == ("5812",)
        assert set(item.title) == {"zh-CN", "en"}


def test_a_benefit_names_the_most_visited_partner_first() -> None:
    found = illustrate(places(), 30, seed=0, now=NOW)
    garden = [i for i in found.items if i.kind == "benefit" and i.category == "garden tools"]

    assert garden
    assert garden[0].merchants() == ("m_1", "m_3", "m_5", "m_7", "m_9")
    assert "Shop 1" in garden[0].title["en"]


@pytest.mark.parametrize(("currency", "scale"), [("GBP", 100), ("JPY", 1), ("KWD", 1000)])
def test_rewards_are_whole_units_of_the_usages_currency_and_below_the_purchase(
    currency: str, scale: int
) -> None:
    found = illustrate(places(currency=currency), 100, seed=1, now=NOW)
    amounts = [m for i in offers(found) for m in i.reward.amounts()]

    assert {money.currency for money in amounts} == {currency}
    assert all(money.amount_minor % scale == 0 for money in amounts)
    for offer in offers(found):
        assert "CNY" not in offer.title["en"]
        assert "元" not in offer.title["zh-CN"].replace("日元", "")
        if offer.reward.min_spend and offer.reward.value:
            assert offer.reward.value.amount_minor < offer.reward.min_spend.amount_minor
            assert offer.reward.min_spend.amount_minor <= 40 * 2.5 * 1.3 * scale


def test_where_a_visit_costs_pennies_rewards_are_rates() -> None:
    found = illustrate(places(typical=1.5), 60, seed=1, now=NOW)

    assert {offer.reward.type.value for offer in offers(found)} == {
        "points_multiplier",
        "cashback_percent",
    }


def offers(catalog: Catalog) -> list[MerchantOffer]:
    """The merchant offers of a catalogue."""
    return [item for item in catalog.items if isinstance(item, MerchantOffer)]


def test_usage_without_a_purchase_is_refused() -> None:
    with pytest.raises(BadInputError, match="no merchant with a purchase"):
        illustrate([], 10, seed=0, now=NOW)


def test_the_command_writes_a_catalogue_that_the_product_reads(tmp_path: Path) -> None:
    table, out = tmp_path / "usage.parquet", tmp_path / "new" / "catalog.ndjson"
    usage(purchases("m_1", 4, mcc="5812"), purchases("m_2", 3)).collect().write_parquet(table)
    arguments = ["--usage", str(table), "--out", str(out), "--items", "20", "--json"]
    result = CliRunner().invoke(group, ["illustrate", *arguments], catch_exceptions=False)
    told = json.loads(result.stdout)

    assert len(read_catalog(out).items) == told["items"] == 20
    assert told["benefit"] + told["merchant_offer"] == 20
    assert told["merchants"] == 2
