"""An item says what it is, or is refused by the name of the field."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from embeddings.catalog import Benefit, MerchantOffer, parse_item, read_catalog, write_catalog
from embeddings.catalog.file import MAX_LINE_BYTES, describe
from embeddings.catalog.item import item_document
from embeddings.catalog.text import in_locale
from embeddings.errors import CatalogError
from tests.bundles import a_benefit, a_catalog, an_offer

FULL_OFFER = an_offer(
    objective="acquire",
    terms={
        "starts_at": "2026-01-01T00:00:00+08:00",
        "ends_at": "2026-02-01T00:00:00+08:00",
        "card_products": ["cp_gold"],
        "tiers": ["gold"],
        "cities": ["上海"],
        "segments": ["young"],
        "channels": ["push"],
        "days_of_week": [5, 1, 5],
        "customer_recency": {"at": "merchant", "min_days": 90},
        "requires_activation": True,
        "exclusive_group": "g1",
    },
    budget={
        "total": {"count": 10000, "amount": {"amount_minor": 20000000, "currency": "CNY"}},
        "daily": {"count": 500},
        "per_cardholder": {"count": 1, "period": "month"},
    },
    funding="merchant",
    sponsored=False,
    priority=0,
    url="https://bank.example/offer",
)


def test_the_items_of_the_contract_are_read() -> None:
    offer, benefit = parse_item(FULL_OFFER), parse_item(a_benefit())

    assert isinstance(offer, MerchantOffer)
    assert offer.terms.days_of_week == (1, 5)
    assert str(offer.terms.starts_at) == "2025-12-31 16:00:00+00:00"
    assert isinstance(benefit, Benefit)
    assert benefit.categories() == ("4582",)


def test_an_item_survives_its_json() -> None:
    for document in (FULL_OFFER, a_benefit(), an_offer()):
        item = parse_item(document)
        assert parse_item(orjson.loads(orjson.dumps(item_document(item)))) == item


BARE_RATE = {"type": "cashback_percent", "rate_bps": 500}
CNY, USD = ({"amount_minor": 1, "currency": c} for c in ("CNY", "USD"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"item_id": "a/b"}, "item_id"),
        ({"item_id": "x" * 129}, "item_id"),
        ({"colour": "red"}, "colour"),
        ({"mcc": "812"}, "mcc"),
        ({"mcc": "５８１２"}, "mcc"),
        ({"merchant_id": None, "mcc": None}, "merchant_id or mcc"),
        ({"title": {}}, "title"),
        ({"title": {"fr": "Vingt"}}, "title"),
        ({"title": {"en": "a\u202eb"}}, "title.en"),
        ({"title": {"en": "a\u200bb"}}, "title.en"),
        ({"title": {"en": "a\x00b"}}, "title.en"),
        ({"url": "http://bank.example"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://user:pass@bank.example/"}, "url"),
        ({"reward": {"type": "spend_and_get", "value": CNY}}, "min_spend"),
        ({"reward": {"type": "spend_and_get", "value": CNY, "min_spend": USD}}, "one currency"),
        ({"reward": {"type": "gift"}}, "reward.type"),
        ({"reward": {"type": "cashback_percent", "rate_bps": 10001}}, "reward.rate_bps"),
        ({"reward": {"type": "cashback_percent", "rate_bps": 1.5}}, "reward.rate_bps"),
        ({"reward": {"type": "cashback_percent", "rate_bps": True}}, "reward.rate_bps"),
        ({"terms": {"starts_at": "2026-01-01T00:00:00"}}, "terms.starts_at"),
        ({"terms": {"starts_at": "2026-01-02T00:00Z", "ends_at": "2026-01-01T00:00Z"}}, "ends_at"),
        ({"terms": {"starts_at": "2026-01-01T00:00Z", "ends_at": "2026-01-01T00:00Z"}}, "ends_at"),
        ({"terms": {"days_of_week": [0]}}, "days_of_week"),
        ({"terms": {"days_of_week": [8]}}, "days_of_week"),
        ({"terms": {"customer_recency": {"at": "merchant"}}}, "min_days or max_days"),
        ({"terms": {"channels": ["radio"]}}, "channels"),
        ({"budget": {"total": {}}}, "count or amount"),
        ({"budget": {"daily": {"count": 0}}}, "budget.daily"),
        ({"budget": {"total": {"amount": {"amount_minor": -1, "currency": "CNY"}}}}, "budget"),
        ({"budget": {"daily": {"amount": USD}}}, "one currency"),
        ({"budget": {"total": {"amount": CNY}, "per_cardholder": {"amount": USD}}}, "one currency"),
        ({"reward": BARE_RATE, "budget": {"total": {"amount": CNY}}}, "reward.max_value"),
        ({"priority": 1001}, "priority"),
        ({"kind": "voucher"}, "kind"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        parse_item(an_offer(**changes))

    assert field in describe(raised.value)


def test_a_bare_rate_may_be_limited_by_count() -> None:
    item = parse_item(an_offer(reward=BARE_RATE, budget={"total": {"count": 5}}))

    assert item.budget is not None
    assert item.budget.amounts() == []


def test_a_title_is_kept_in_nfc_and_found_in_either_locale() -> None:
    item = parse_item(an_offer(title={"en": "Cafe\u0301"}))

    assert item.title["en"] == "Café"
    assert in_locale(item.title, "zh-CN") == "Café"


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines))
    return path


def test_a_catalogue_survives_its_file(tmp_path: Path) -> None:
    catalog = a_catalog(an_offer("b"), a_benefit("a"))

    write_catalog(tmp_path / "c.ndjson", catalog)

    assert read_catalog(tmp_path / "c.ndjson") == catalog
    assert [item.item_id for item in catalog.items] == ["a", "b"]
    assert catalog.row("b") == 1
    assert catalog.get("nobody") is None


def test_two_items_of_one_id_are_refused_with_both_lines(tmp_path: Path) -> None:
    line = orjson.dumps(an_offer("twin"))

    with pytest.raises(CatalogError, match=r"line 3: id 'twin' came on line 1"):
        read_catalog(write(tmp_path / "c.ndjson", line, b"", line))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line 2: not JSON"),
        (b"[" * 200_000, "line 2: "),
        (b'"' + b"x" * MAX_LINE_BYTES + b'"', "line 2: longer than"),
        (orjson.dumps(an_offer(mcc="1")), "line 2: mcc"),
        (b"{}", "line 2: item: kind is missing; write benefit or merchant_offer"),
        (b'{"kind":"x"}', "line 2: item: kind must be benefit or merchant_offer"),
        (b"[]", "line 2: item: must be one JSON object"),
        (b"NaN", "line 2: not JSON"),
        (b"\xff\xfe{}", "line 2: not JSON"),
        (b'{"item_id":' + b"9" * 5_000 + b"}", "line 2: not JSON"),
        (b'{"item_id":"a","item_id":"b"}', "line 2: a key comes twice"),
        (
            orjson.dumps(an_offer())[:-1] + b',"budget":{"total":{"count":1,"count":9}}}',
            "line 2: a key comes twice",
        ),
        (b'{"title":{"en":"\\ud800"}}', "line 2: "),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    with pytest.raises(CatalogError, match=r"c\.ndjson: " + message):
        read_catalog(write(tmp_path / "c.ndjson", orjson.dumps(an_offer()), line))


def test_a_catalogue_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.ndjson: cannot be read"):
        read_catalog(tmp_path / "none.ndjson")
