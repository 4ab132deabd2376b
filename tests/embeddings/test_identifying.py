"""What is taken for a number that names a person, and what is not."""

import random
import sys
import uuid
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embeddings.identifying import (
    CHECKS,
    SHORTEST,
    WEIGHTS,
    Identifying,
    identifying,
    is_resident_id,
    may_hold_many_digits,
)
from embeddings.pan import ODD_SEPARATORS

RESIDENT = "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111111111111111", Identifying.CARD_NUMBER),
        ("card 4111 1111 1111 1111!", Identifying.CARD_NUMBER),
        ("６２２２０２０２００１１２２３３", Identifying.CARD_NUMBER),
        (RESIDENT, Identifying.RESIDENT_ID),
        (f"身份证{RESIDENT}，谢谢", Identifying.RESIDENT_ID),
        (RESIDENT.lower(), Identifying.RESIDENT_ID),
        ("13812345678", Identifying.MOBILE_NUMBER),
        ("call +86 138-1234-5678 now", Identifying.MOBILE_NUMBER),
        ("电话１３８１２３４５６７８", Identifying.MOBILE_NUMBER),
        ("138\u200b12345678", Identifying.MOBILE_NUMBER),
        ("４９２９　１２３４　５６７８　１２３６", Identifying.CARD_NUMBER),
        ("4929－1234－5678－1236", Identifying.CARD_NUMBER),
        ("4929·1234・5678\u20031236", Identifying.CARD_NUMBER),
        ("１１０１０５１９４９１２３１００２Ｘ", Identifying.RESIDENT_ID),
        ("110105 19491231 002X", Identifying.RESIDENT_ID),
        ("110105－19491231－002－Ｘ", Identifying.RESIDENT_ID),
        ("4111-1111 1111.1111", Identifying.CARD_NUMBER),
        ("4111:1111:1111:1111", Identifying.CARD_NUMBER),
        ("card\t4111\t1111\t1111\t1111", Identifying.CARD_NUMBER),
        ("4111\r\n1111\r\n1111\r\n1111", Identifying.CARD_NUMBER),
        ("(4111)(1111)(1111)(1111)", Identifying.CARD_NUMBER),
        ("[3782][822463][10005]", Identifying.CARD_NUMBER),
        ("１３８　１２３４　５６７８", Identifying.MOBILE_NUMBER),
    ],
)
def test_f46_numbers_that_name_a_person_are_found(text: str, found: Identifying) -> None:
    assert identifying(text) is found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ch_7Q2",
        "2026-01-31T12:00:13.812345678Z",
        "2026-01-31T12:00:00+08:00",
        "1769860800123",
        "evt-1769860800-12",
        "110105194912310021",
        "满100减20",
        "400-820-8820",
        "0.13812345678901",
        "11:00:00 to 23:30:00, 10:00:00 to 18:00:00",
        "2026-01-31 12:00:00.123456 (UTC+08:00)",
        "138:1234:5678",
    ],
)
def test_f46_ordinary_values_are_left_alone(text: str) -> None:
    assert identifying(text) is None


def test_f46_uuids_and_digests_never_raise_a_false_alarm() -> None:
    chance = random.Random(46)
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(20_000)]
    digests = [f"{chance.getrandbits(256):064x}" for _ in range(20_000)]

    assert not [one for one in (*ids, *digests) if identifying(one)]


def test_f46_random_ids_of_eighteen_digits_are_rarely_taken_for_a_resident() -> None:
    chance = random.Random(18)
    ids = [str(chance.randrange(10**17, 10**18)) for _ in range(20_000)]

    assert sum(map(is_resident_id, ids)) < 10


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)), st.integers(0, 999))
def test_f46_of_all_check_digits_only_the_right_one_makes_a_resident_id(
    born: date, order: int
) -> None:
    front = f"310101{born:%Y%m%d}{order:03d}"
    right = CHECKS[sum(w * int(d) for w, d in zip(WEIGHTS, front, strict=True)) % 11]

    assert [last for last in "0123456789X" if is_resident_id(front + last)] == [right]


def test_f46_every_digit_of_every_script_is_known_to_the_quick_look() -> None:
    digits = [chr(one) for one in range(0x80, sys.maxunicode + 1) if chr(one).isdigit()]

    assert len(digits) > 700
    assert not [one for one in digits if not may_hold_many_digits(f"x{one * SHORTEST}".encode())]


@pytest.mark.parametrize(
    "text",
    [
        '{"occurred_at": "2026-01-31T12:00:13.812Z", "amount_minor": 138123}',
        "2026-01-31 12:00:00.123456 (UTC+08:00)",
        "11:00:00 to 23:30:00, 10:00:00 to 18:00:00",
        "凭卡与当日登机牌享全国机场贵宾厅服务,每年2次,满100减20",
    ],
)
def test_f46_the_quick_look_needs_no_second_one_for_ordinary_texts(text: str) -> None:
    assert not may_hold_many_digits(text.encode())


@given(st.text(f"0123456789{ODD_SEPARATORS} .-４①¹\u200b全\u00a0", max_size=60))
@example("4111:1111:1111:1111")
@example("(4111)(1111)(1111)(1111)")
@example("4\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1")
def test_f46_the_quick_look_never_says_no_where_a_number_is(text: str) -> None:
    assert identifying(text) is None or may_hold_many_digits(text.encode())


PARTS = st.sampled_from(["", "", "", " ", "-", ".", ":", "\t", "|", "::", "\u00a0", "\u200b", "全"])
NUMBERS = st.sampled_from(["4111111111111111", "378282246310005", RESIDENT, "13812345678"])


@given(
    NUMBERS, st.lists(PARTS, min_size=18, max_size=18), st.booleans(), st.text("a1 全", max_size=9)
)
def test_f46_nor_where_a_number_is_parted_and_spelled_otherwise(
    number: str, parts: list[str], is_wide: bool, around: str
) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    parted = "".join(one + part for one, part in zip(number, parts, strict=False))
    text = f"{around}x{parted.translate(wide) if is_wide else parted}x{around}"

    assert identifying(text) is None or may_hold_many_digits(text.encode())


@given(st.integers(0, 18), st.sampled_from([b"\xff", b"\xe0", b"\xd9", b"\xf0\x9f"]))
def test_f46_bytes_that_are_no_text_hide_no_number_beside_them(place: int, torn: bytes) -> None:
    digits = "４１１１１１１１１１１１１１１１"
    text = digits[:place].encode() + torn + b"a" + digits[place:].encode()

    assert may_hold_many_digits(text)
