from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalog.money import exponent
from training.mapping.amounts import AmountRule, read_amounts


def read(values: list[Any], currency: str = "GBP", **rule: Any) -> list[tuple[Any, ...]]:
    series = pl.Series(values, dtype=pl.String if isinstance(values[0], str) else None)
    currencies = pl.Series([currency] * len(values))
    return read_amounts(series, currencies, AmountRule(**rule)).rows()


@pytest.mark.parametrize(
    ("text", "minor", "refund"),
    [
        ("31.68", 3168, False),
        ("-31.68", 3168, True),
        ("31.68-", 3168, True),
        ("(31.68)", 3168, True),
        ("−31.68", 3168, True),
        ("12.00 CR", 1200, True),
        ("12.00 DR", 1200, False),
        ("1,808.44", 180844, False),
        ("1,00,000.00", 10000000, False),
        ("£1 050", 105000, False),
        ("1'050.00", 105000, False),
        ("GBP 7.5", 750, False),
        ("-7.50 GBP", 750, True),
        ("+7", 700, False),
        (".5", 50, False),
        ("0.00", 0, False),
        ("1.2300", 123, False),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, minor: int, refund: bool) -> None:
    assert read([text]) == [(minor, refund, None)]


@pytest.mark.parametrize(
    ("text", "minor"), [("1.234,56", 123456), ("1234,5", 123450), ("1.234", 123400), ("-0,05", 5)]
)
def test_european_amounts_are_read_when_the_mapping_says_so(text: str, minor: int) -> None:
    assert read([text], decimal=",")[0][0] == minor


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "amount_missing"),
        ("abc", "amount_unreadable"),
        ("1.234,56", "amount_unreadable"),
        ("12,34", "amount_unreadable"),
        ("1.2.3", "amount_unreadable"),
        ("--5", "amount_unreadable"),
        ("USD 5", "amount_unreadable"),
        (".", "amount_unreadable"),
        ("１２.５０", "amount_unreadable"),
        ("1.234", "amount_too_precise"),
        ("10000000000000.01", "amount_too_large"),
        ("9" * 40, "amount_too_large"),
    ],
)
def test_what_is_no_amount_is_named_and_never_guessed(text: str, fault: str) -> None:
    assert read([text]) == [(None, text.startswith("-"), fault)]


@given(
    st.integers(0, 10**12),
    st.sampled_from(["GBP", "JPY", "KWD", "CNY"]),
    st.booleans(),
    st.sampled_from([".", ","]),
)
def test_any_amount_written_with_its_currencys_decimals_is_read_back(
    minor: int, currency: str, refund: bool, decimal: str
) -> None:
    places = exponent(currency)
    text = f"{Decimal(minor).scaleb(-places):,.{places}f}"
    if decimal == ",":
        text = text.translate({ord(","): ".", ord("."): ","})

    assert read([f"-{text}" if refund else text], currency, decimal=decimal) == [
        (minor, refund, None)
    ]


def test_numbers_are_read_exactly_too() -> None:
    assert read([12.5, -0.1, 0.30000000000000004]) == [
        (1250, False, None),
        (10, True, None),
        (30, False, None),
    ]
    assert read([1250, -5], unit="minor") == [(1250, False, None), (5, True, None)]
    assert [row[2] for row in read([float("nan"), float("inf"), 1.005, None])] == [
        "amount_unreadable",
        "amount_unreadable",
        "amount_too_precise",
        "amount_missing",
    ]


@given(st.integers(1, 2**17 * 100 - 1))
def test_a_single_precision_number_is_the_decimal_it_stands_for(minor: int) -> None:
    single = pl.Series([minor / 100, -minor / 100], dtype=pl.Float32)
    found = read_amounts(single, pl.Series(["GBP"] * 2), AmountRule())

    assert found.rows() == [(minor, False, None), (minor, True, None)]


def test_a_single_precision_number_too_large_for_its_decimals_is_not_guessed() -> None:
    single = pl.Series([1234567.89, float("nan"), None, 2.0**20], dtype=pl.Float32)
    found = read_amounts(single, pl.Series(["GBP"] * 4), AmountRule())

    assert found["fault"].to_list() == [
        "amount_too_precise",
        "amount_unreadable",
        "amount_missing",
        None,
    ]


def test_a_source_may_write_refunds_without_a_sign_and_purchases_with_one() -> None:
    assert [row[1] for row in read(["5.00", "-5.00"], refund="positive")] == [True, False]
