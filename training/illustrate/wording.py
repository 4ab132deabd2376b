"""The simulated catalogue's templates and rewards, in the currency of another issuer."""

from dataclasses import replace
from typing import Any

from embeddings.catalog.money import exponent
from training.simulate.wording import Phrase

CHINESE = {"CNY": "元", "GBP": "英镑", "USD": "美元", "EUR": "欧元", "HKD": "港元", "JPY": "日元"}
"""What a unit of money is called in Chinese; the code stands where none is given."""


def worded(phrase: Phrase, currency: str) -> Phrase:
    """The same template for amounts of another currency."""
    unit = CHINESE.get(currency, currency)
    return replace(
        phrase,
        zh=phrase.zh.replace("元", unit),
        long_zh=phrase.long_zh.replace("元", unit),
        en=phrase.en.replace("CNY", currency),
        long_en=phrase.long_en.replace("CNY", currency),
    )


def priced(reward: dict[str, Any], currency: str) -> dict[str, Any]:
    """The same figures of major units in another currency: 20 yuan become 20 pounds.

    The figures were drawn about an amount in that currency; only minor units and code change.
    """
    scale = 10 ** exponent(currency)
    return {
        name: {"amount_minor": value["amount_minor"] // 100 * scale, "currency": currency}
        if isinstance(value, dict)
        else value
        for name, value in reward.items()
    }
