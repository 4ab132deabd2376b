import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.pan import ODD_SEPARATORS, contains_card_number, passes_luhn, redact

KNOWN = (
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "3530111333300000",
    "30569309025904",
    "6011111111111117",
)


def check_digit(digits: str) -> str:
    return next(d for d in "0123456789" if passes_luhn(digits + d))


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    prefix, length = draw(
        st.sampled_from(
            [
                ("4", 16),
                ("51", 16),
                ("2720", 16),
                ("34", 15),
                ("3528", 16),
                ("36", 14),
                ("6011", 16),
            ]
        )
    )
    rest = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=30))
    body = (prefix + rest)[: length - 1]
    return body + check_digit(body)


@pytest.mark.parametrize("number", KNOWN)
def test_the_test_numbers_of_the_card_networks_are_found(number: str) -> None:
    assert contains_card_number(number)


@given(
    card_numbers(), st.sampled_from([" ", "-", ".", "\u00a0", "\u200b", "\u2011", ""]), st.data()
)
def test_a_card_number_is_found_however_it_is_spaced(
    number: str, separator: str, data: st.DataObject
) -> None:
    cut = data.draw(st.sampled_from([1, 3, 4, 6]))
    written = separator.join(number[i : i + cut] for i in range(0, len(number), cut))

    assert contains_card_number(f"paid by {written}, thanks")
    assert contains_card_number(written.translate({48 + d: 0xFF10 + d for d in range(10)}))
    assert contains_card_number(written.translate({48 + d: 0x0660 + d for d in range(10)}))


ODD = (*ODD_SEPARATORS, *(2 * one for one in ODD_SEPARATORS), ")(", "][", "}{", "><", "\r\n", "::")


@given(card_numbers(), st.sampled_from(ODD))
def test_a_card_number_is_found_with_an_odd_separator_between_its_printed_groups(
    number: str, separator: str
) -> None:
    for cut in (1, 4):
        written = separator.join(number[i : i + cut] for i in range(0, len(number), cut))

        assert contains_card_number(f"ch{separator}{written}{separator}x")
        assert redact(f"ch_{written}") == "ch_[card number]"


def test_an_american_card_and_one_beside_its_expiry_are_found_in_an_id() -> None:
    assert contains_card_number("3782_822463_10005")
    assert contains_card_number("4111_1111_1111_1111_123")
    assert contains_card_number("4111~1111~1111~1111~1225")


@pytest.mark.parametrize(
    "number", ["⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹", "④①①①①①①①①①①①①①①①", "₄₁₁₁ ₁₁₁₁ ₁₁₁₁ ₁₁₁₁", "❹❶❶❶❶❶❶❶❶❶❶❶❶❶❶❶"]
)
def test_raised_lowered_and_circled_digits_are_digits(number: str) -> None:
    assert contains_card_number(number)


@given(st.sampled_from(["62", "81"]), st.text("0123456789", min_size=14, max_size=17))
def test_unionpay_numbers_are_found_whatever_their_last_digit(prefix: str, rest: str) -> None:
    assert contains_card_number(prefix + rest)


@given(card_numbers())
def test_one_wrong_digit_is_not_a_card_number(number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    assert not contains_card_number(wrong)


def test_a_card_number_beside_its_expiry_date_is_found() -> None:
    assert contains_card_number("4111 1111 1111 1111 1225")
    assert contains_card_number("1225 4111111111111111")
    assert contains_card_number(";4111111111111111=25121010000000000000?")
    assert contains_card_number("%B4111111111111111^DOE/JANE^2512101?")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "************1234",
        "411111******1111",
        "2024-03-01 10:00:00.123456",
        "ch_7Q2",
        "+86 138 0013 8000",
        "TESCO STORES 6269",
        "31198570044_1095275",
        "evt_20260131_120000_123456",
        "411_1111_1111_1111_11",
        "4111_1111_1111_1112",
        "4111_1111~1111_1111",
        "4111:1111 1111:1111",
        "12:30:45 1111 2026-03-04 11:11",
        "00:41:11,111 --> 00:11:11,111",
        "[41, 11, 111, 1111, 11, 111]",
        "4111:11:1111:1111:1111",
        "2001:4111:1111:1111:1111:0:0:1",
        "evt:41111111:111111:1111",
        "9b2f8c1e-4111-4111-8111-1111a1111111",
    ],
)
def test_what_only_looks_like_digits_is_left_alone(text: str) -> None:
    assert not contains_card_number(text)
    assert redact(text) == text


def test_the_issuers_own_bins_need_no_check_digit() -> None:
    assert not contains_card_number("9999123412341234")
    assert contains_card_number("9999123412341234", bins=frozenset({"99991234"}))


@given(st.text(max_size=20), card_numbers(), st.text(max_size=20))
def test_nothing_is_left_to_find_after_redaction(before: str, number: str, after: str) -> None:
    redacted = redact(f"{before}|{number}|{after}")

    assert "[card number]" in redacted
    assert number not in redacted
    assert not contains_card_number(redacted)


@pytest.mark.parametrize(("length", "at_most"), [(13, 0.02), (14, 0.01), (15, 0.01), (16, 0.07)])
def test_random_digits_are_seldom_taken_for_a_card_number(length: int, at_most: float) -> None:
    draw = random.Random(7)
    runs = ("".join(draw.choices("0123456789", k=length)) for _ in range(20_000))

    assert sum(map(contains_card_number, runs)) / 20_000 < at_most


def test_looking_through_long_text_takes_time_in_proportion_to_its_length() -> None:
    assert not contains_card_number("1 " * 100_000)
    assert not contains_card_number("7" * 200_000)
