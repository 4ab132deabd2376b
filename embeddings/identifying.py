"""Numbers that name a person and must never come in: card numbers, resident ids, mobile numbers.

Card numbers and resident ids are looked for in every text. Mobile numbers have no check digit, so
in ids of things they would be false alarms; they are looked for in ids of people and in free text.
Values of two shapes are left alone, since they hold such numbers by chance only: instants, and
opaque hexadecimal ids (UUIDs, digests).
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum

from embeddings.pan import ODD_SEPARATORS, SEPARATORS, ascii_digits, contains_card_number

SHORTEST, SHORTEST_CARD = 11, 13
BETWEEN = f"[{re.escape(ODD_SEPARATORS)}{SEPARATORS[1:]}"
MANY_DIGITS = re.compile(rf"\d(?:{BETWEEN}{{0,3}}\d){{{SHORTEST - 1}}}")
RESIDENT_ID = re.compile(
    r"(?<![0-9])([1-8][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[ -]?[0-9Xx])(?![0-9])"
)
MOBILE = re.compile(r"(?<![0-9])(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])")
OPAQUE = re.compile(r"(?=.*[a-f])(?:[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
DIGIT_BEYOND_ASCII = re.compile(
    "[\\d\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070-\u2089\u2460-\u249b\u24ea-\u24ff"
    "\u2776-\u2793\U00010a40-\U00010a43\U00010e60-\U00010e68\U00011052-\U0001105a"
    "\U0001f100-\U0001f10a]"
)
"""Whatever `str.isdigit` takes for a digit, in what is not ASCII of a text: other scripts', raised,
lowered and circled ones."""
BETWEEN_DIGITS = bytes((*b" .-", *range(0x80, 0x100)))
"""What may stand between digits in UTF-8 wherever they are parted: blanks, and all beyond ASCII."""
BETWEEN_GROUPS = ODD_SEPARATORS.encode()
"""What may stand between printed groups, the same throughout."""
BETWEEN_ANY = BETWEEN_DIGITS + BETWEEN_GROUPS
ASCII = bytes(range(0x80))
HYPHENS = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212), "-")
AS_ZEROS = bytes(ord("0") if chr(one).isdecimal() and one < 0x80 else one for one in range(256))
RUN, RUN_OF_CARD = b"0" * SHORTEST, b"0" * SHORTEST_CARD
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


class Identifying(StrEnum):
    """What was found, in the words of the API."""

    CARD_NUMBER = "pan_detected"
    RESIDENT_ID = "resident_id_detected"
    MOBILE_NUMBER = "mobile_number_detected"


def may_hold_many_digits(text: bytes) -> bool:
    """Whether :func:`identifying` may find a number in a text in UTF-8; never wrong with its no.

    Far quicker than looking for them: everything between digits is thrown away, all digits are
    made zeros, and a run of zeros is looked for. Nearly every text is told by one such look.
    """
    if len(text) < SHORTEST:
        return False
    if RUN in text.translate(AS_ZEROS, BETWEEN_ANY) and _has_run_of_one_kind(text):
        return True
    if text.isascii():
        return False
    beyond = text.translate(None, ASCII).decode("utf-8", "replace")
    return DIGIT_BEYOND_ASCII.search(beyond) is not None


def _has_run_of_one_kind(text: bytes) -> bool:
    """Whether digits run on when what parts printed groups is not thrown away with the rest.

    An instant without its colons, points and hyphens would be a run too.
    """
    if RUN in text.translate(AS_ZEROS, BETWEEN_DIGITS):
        return True
    return RUN_OF_CARD in text.translate(AS_ZEROS, BETWEEN_GROUPS)


def identifying(text: str, *, mobiles: bool = True) -> Identifying | None:
    """What in this text names a person; None when nothing does.

    Parameters
    ----------
    text : anything
    mobiles : whether mobile numbers of mainland China are looked for too
    """
    text = ascii_digits(text) if len(text) >= SHORTEST else ""
    if MANY_DIGITS.search(text) is None:
        return None
    if OPAQUE.fullmatch(text.lower()) or INSTANT.fullmatch(text):
        return None
    if contains_card_number(text):
        return Identifying.CARD_NUMBER
    plain = _plain(text)
    if any(is_resident_id(re.sub("[ -]", "", found)) for found in RESIDENT_ID.findall(plain)):
        return Identifying.RESIDENT_ID
    if mobiles and MOBILE.search(plain):
        return Identifying.MOBILE_NUMBER
    return None


def _plain(text: str) -> str:
    """The text with ASCII digits, letters, hyphens and blanks in place of their look-alikes."""
    if text.isascii():
        return text
    alike = unicodedata.normalize("NFKC", text)  # full-width letters, blanks of any width
    digits = "".join(str(int(one)) if one.isdecimal() else one for one in alike)
    return re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", digits).translate(HYPHENS)


def is_resident_id(text: str) -> bool:
    """Whether 18 characters are a resident identity number (GB 11643-1999): date and check."""
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text[:17], strict=True))
    return 1900 <= born.year <= 2100 and CHECKS[total % 11] == text[17].upper()
