"""Money: an integer of minor units beside an ISO 4217 code."""

from typing import Annotated

from pydantic import Field

from embeddings.catalog.text import Strict

MAX_MINOR = 10**15
EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Currencies whose minor unit is not a hundredth (ISO 4217, table A.1)."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MinorUnits = Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]


class Money(Strict):
    """An amount of at least 0, e.g. ``{"amount_minor": 1500, "currency": "CNY"}`` for 15 yuan."""

    amount_minor: MinorUnits
    currency: Currency


def exponent(currency: str) -> int:
    """Decimals of a currency's major unit: 0 for JPY, 3 for KWD, 2 unless known otherwise."""
    return EXPONENTS.get(currency, 2)
