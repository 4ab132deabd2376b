"""Finds card numbers in text, so that none is stored, logged or answered.

A primary account number (PAN) is 13 to 19 digits that begin like an issuer's and end in a check
digit (ISO/IEC 7812-1). People space, dash and dot them, and type them full-width; UnionPay cards
often fail the check, so theirs are found without it. Masked numbers (``************1234``) are
not card numbers.

About one in ten of random digit runs passes the check, so length and first digits are asked too:
of random runs of 16 digits about one in twenty is taken for a card number, of 13 to 19 digits
fewer. Fields that hold such numbers by design are for the caller to leave out.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

REDACTED = "[card number]"
SEPARATORS = (
    "[ .\u00a0\u00ad\u00b7\u2000-\u200f\u2010-\u2015\u2022\u202f\u205f\u2060\u2212"
    "\u3000\u30fb\ufeff\uff0d\uff0e-]"
)
"""Blanks, hyphens and dots of every width, as input methods put them, and what is invisible."""
RUN = re.compile(rf"(?<!\d)\d(?:{SEPARATORS}{{0,3}}\d){{12,}}")
GROUP = re.compile(r"\d+")
ODD_SEPARATORS = "_~/,|+*=#:;()[]{}<>\t\n\r"
"""Stand in ids, lists, times and tables too, so they count only between groups as they are printed
on cards."""
ODD = f"[{re.escape(ODD_SEPARATORS)}]{{1,2}}"
PRINTED = re.compile(
    rf"(?<!\d)(?:\d{{4}}(?P<fours>{ODD})\d{{4}}(?P=fours)\d{{4}}(?P=fours)\d{{1,4}}"
    r"(?:(?P=fours)\d{1,3})?"
    rf"|\d{{4}}(?P<sixes>{ODD})\d{{6}}(?P=sixes)\d{{4,5}}"
    rf"|\d(?P<ones>{ODD})\d(?:(?P=ones)\d){{11,17}})(?!\d)"
)
"""Groups of four, of four, six and five, or digit by digit, one separator throughout."""
BRANDS = tuple(
    (re.compile(pattern), frozenset(lengths), checked)
    for pattern, lengths, checked in (
        (r"4", (13, 16, 18, 19), True),  # Visa
        (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,), True),  # Mastercard
        (r"3[47]", (15,), True),  # American Express
        (r"35", (16, 17, 18, 19), True),  # JCB
        (r"3[68]|30[0-5]", (14, 15, 16, 17, 18, 19), True),  # Diners Club
        (r"6011|65|64[4-9]", (16, 17, 18, 19), True),  # Discover
        (r"62|81", (16, 17, 18, 19), False),  # UnionPay: the check digit is often missing
        (r"50|5[6-8]|6[37]", (16, 18, 19), True),  # Maestro
    )
)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a card number stands in a text, as a half-open range of characters."""

    start: int
    end: int


def contains_card_number(text: str, bins: frozenset[str] = frozenset()) -> bool:
    """Tell whether a card number is anywhere in this text.

    Parameters
    ----------
    text : str
        Anything; empty text holds none.
    bins : frozenset of str
        First eight digits of the issuer's own cards: runs that begin so need no check digit.
    """
    return next(_spans(text, bins), None) is not None


def redact(text: str, bins: frozenset[str] = frozenset()) -> str:
    """Return the text with each card number replaced by ``[card number]``."""
    for span in reversed(list(_spans(text, bins))):
        text = text[: span.start] + REDACTED + text[span.end :]
    return text


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def _spans(text: str, bins: frozenset[str]) -> Iterator[Span]:
    """Each card number of the text, from left to right; two that overlap are one."""
    if sum(map(str.isdigit, text)) < 13:
        return
    plain = ascii_digits(text)
    found = sorted([*_spaced(plain, bins), *_printed(plain, bins)], key=lambda span: span.start)
    while found:
        first = found.pop(0)
        while found and found[0].start < first.end:
            first = Span(first.start, max(first.end, found.pop(0).end))
        yield first


def _spaced(text: str, bins: frozenset[str]) -> Iterator[Span]:
    """Card numbers with nothing, blanks, hyphens or dots between their digits."""
    for run in RUN.finditer(text):
        groups = [(m.start() + run.start(), m.end() + run.start()) for m in GROUP.finditer(run[0])]
        yield from _spans_of_run(text, groups, bins)


def _printed(text: str, bins: frozenset[str]) -> Iterator[Span]:
    """Card numbers in printed groups with an odd separator between them.

    The last group may be a date of expiry or a code beside the number, so both are asked.
    """
    for found in PRINTED.finditer(text):
        groups = GROUP.findall(found[0])
        if _is_card("".join(groups), bins) or _is_card("".join(groups[:-1]), bins):
            yield Span(*found.span())


def ascii_digits(text: str) -> str:
    """Return the text with every Unicode digit as an ASCII one, character for character.

    Raised, lowered and circled digits too: they are read as digits.
    """
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(character)) if character.isdigit() else character
        for character in text
    )


def _spans_of_run(text: str, groups: list[tuple[int, int]], bins: frozenset[str]) -> Iterator[Span]:
    """Card numbers made of neighbouring digit groups; the longest that begins first wins.

    A number may stand beside others (``4111 1111 1111 1111 1225``), so each stretch of groups is
    a candidate. Stretches inside a run need groups of three digits or more, as people write them.
    """
    first = 0
    while first < len(groups):
        last = _last_group(text, groups, first, bins)
        if last is None:
            first += 1
        else:
            yield Span(groups[first][0], groups[last][1])
            first = last + 1


def _last_group(
    text: str, groups: list[tuple[int, int]], first: int, bins: frozenset[str]
) -> int | None:
    """Last group of the longest card number that begins with this group, or None."""
    found = None
    digits = ""
    for last in range(first, min(len(groups), first + 19)):
        start, end = groups[last]
        digits += text[start:end]
        if len(digits) > 19:
            break
        whole = first == 0 and last == len(groups) - 1
        if (whole or _written_in_groups(groups[first : last + 1])) and _is_card(digits, bins):
            found = last
    return found


def _written_in_groups(groups: list[tuple[int, int]]) -> bool:
    """Tell whether all these groups have three digits or more."""
    return all(end - start >= 3 for start, end in groups)


def _is_card(digits: str, bins: frozenset[str]) -> bool:
    """Tell whether 13 to 19 digits are an issuer's, by first digits, length and check digit."""
    if not 13 <= len(digits) <= 19:
        return False
    if digits[:8] in bins:
        return True
    return any(
        brand.match(digits) and len(digits) in lengths and (not checked or passes_luhn(digits))
        for brand, lengths, checked in BRANDS
    )
