"""The border for what people wrote: ids, words in two languages, instants, links.

Every type refuses what it cannot hold with a message that never repeats the input.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9._~-]{1,128}$"
LOCALES = ("zh-CN", "en")
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


class Strict(BaseModel):
    """Base of all catalogue models: frozen, unknown fields refused, no NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def readable(text: str) -> str:
    """Text in NFC; ValueError when a control, bidi or invisible character is in it."""
    if text.isascii() and text.isprintable():
        return text  # most are, and nothing is to be looked for in them
    for character in text:
        if (
            unicodedata.category(character) in ("Cc", "Cs")
            or character in BIDI_CONTROLS | INVISIBLE
        ):
            raise ValueError("holds a control, bidi or invisible character; remove it")
    return unicodedata.normalize("NFC", text)


def utc(instant: datetime) -> datetime:
    """The same instant in UTC; ValueError when UTC has no year for it."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 of UTC") from None


def https_only(url: str) -> str:
    """The url; ValueError unless it is https without credentials."""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[^\s\"'<>\\]*)?", url):
        raise ValueError("must be an https:// address without credentials")
    return url


def known_locales(text: dict[str, Any]) -> dict[str, Any]:
    """The texts; ValueError for a locale that is not served."""
    unknown = [locale for locale in text if locale not in LOCALES]
    if unknown or not text:
        raise ValueError(f"must be a text for at least one of {', '.join(LOCALES)} and no other")
    return text


Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
Mcc = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
Words = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(readable)]
Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(readable)]
Instant = Annotated[AwareDatetime, AfterValidator(utc)]
Localised = Annotated[dict[str, Words], AfterValidator(known_locales)]
Https = Annotated[str, Field(max_length=2048), AfterValidator(https_only)]


def in_locale(text: dict[str, str], locale: str) -> str:
    """The text in this locale, else in the first served locale that it has."""
    return text.get(locale) or next(text[known] for known in LOCALES if known in text)
