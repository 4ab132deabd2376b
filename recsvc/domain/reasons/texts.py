"""The sentences of reasons, in the languages that are served."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from string import Formatter

from recsvc.domain.question import Reason
from recsvc.domain.reasons.names import spoken


class ReasonCode(StrEnum):
    """Why an item is shown; part of the API."""

    REGULAR_AT_MERCHANT = "regular_at_merchant"
    VISITED_MERCHANT = "visited_merchant"
    CATEGORY_AFFINITY = "category_affinity"
    SIMILAR_TO_MERCHANT = "similar_to_merchant"
    FITS_YOUR_HABITS = "fits_your_habits"
    POPULAR_WITH_CARD_IN_CITY = "popular_with_card_in_city"
    POPULAR_WITH_CARD = "popular_with_card"
    POPULAR_IN_CITY = "popular_in_city"
    POPULAR = "popular"
    NEW_OFFER = "new_offer"
    BENEFIT_OF_YOUR_CARD = "benefit_of_your_card"
    SPONSORED = "sponsored"
    SOMETHING_DIFFERENT = "something_different"


TEXTS: dict[ReasonCode, dict[str, str]] = {
    ReasonCode.REGULAR_AT_MERCHANT: {
        "zh-CN": "您常去{merchant}，已消费{visits}次",
        "en": "You are a regular at {merchant}: {visits} visits",
    },
    ReasonCode.VISITED_MERCHANT: {
        "zh-CN": "您曾在{merchant}消费",
        "en": "You have been to {merchant}",
    },
    ReasonCode.CATEGORY_AFFINITY: {
        "zh-CN": "您经常在{category}类商户消费，共{visits}次",
        "en": "You often spend on {category}: {visits} visits",
    },
    ReasonCode.SIMILAR_TO_MERCHANT: {
        "zh-CN": "去过{merchant}的持卡人也喜欢",
        "en": "Cardholders who go to {merchant} like this too",
    },
    ReasonCode.FITS_YOUR_HABITS: {
        "zh-CN": "根据您的用卡习惯为您挑选",
        "en": "Chosen for the way you use your card",
    },
    ReasonCode.POPULAR_WITH_CARD_IN_CITY: {
        "zh-CN": "{city}同款卡持卡人常用",
        "en": "Popular with holders of your card in {city}",
    },
    ReasonCode.POPULAR_WITH_CARD: {
        "zh-CN": "同款卡持卡人常用",
        "en": "Popular with holders of your card",
    },
    ReasonCode.POPULAR_IN_CITY: {
        "zh-CN": "{city}持卡人常用",
        "en": "Popular with cardholders in {city}",
    },
    ReasonCode.POPULAR: {
        "zh-CN": "持卡人常用",
        "en": "Popular with cardholders",
    },
    ReasonCode.NEW_OFFER: {
        "zh-CN": "新上线",
        "en": "New",
    },
    ReasonCode.BENEFIT_OF_YOUR_CARD: {
        "zh-CN": "您的卡片专享权益",
        "en": "A benefit of your card",
    },
    ReasonCode.SPONSORED: {
        "zh-CN": "商户推广",
        "en": "Sponsored",
    },
    ReasonCode.SOMETHING_DIFFERENT: {
        "zh-CN": "换个口味，也许您会喜欢",
        "en": "Something different you might like",
    },
}


PIECES = {
    (code, locale): tuple((said, name) for said, name, *_ in Formatter().parse(text))
    for code, texts in TEXTS.items()
    for locale, text in texts.items()
}
"""Each sentence as what is said and the name of the gap behind it, if there is one."""


def sentence(code: ReasonCode, locale: str, **words: object) -> str:
    """The sentence of a reason; names are told in its language, a missing one is paraphrased."""
    text = ""
    for said, name in PIECES[code, locale]:
        text += said if name is None else said + spoken(name, words[name], locale)
    return text


@lru_cache(maxsize=8192)
def like_merchant(label: str, locale: str) -> str:
    """The sentence that names a merchant like the item's; most lists hold a few of them."""
    return sentence(ReasonCode.SIMILAR_TO_MERCHANT, locale, merchant=label)


@dataclass(frozen=True, slots=True)
class PlainReasons:
    """The reasons that say the same of everyone, in one language."""

    fits: Reason
    new: Reason
    popular: Reason
    of_card: Reason
    sponsored: Reason
    different: Reason


@cache
def plain_reasons(locale: str) -> PlainReasons:
    """The plain reasons in a language that is served."""
    codes = (
        ReasonCode.FITS_YOUR_HABITS,
        ReasonCode.NEW_OFFER,
        ReasonCode.POPULAR,
        ReasonCode.BENEFIT_OF_YOUR_CARD,
        ReasonCode.SPONSORED,
        ReasonCode.SOMETHING_DIFFERENT,
    )
    return PlainReasons(*(Reason(code.value, sentence(code, locale)) for code in codes))
