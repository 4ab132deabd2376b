"""What can be recommended: benefits and merchant offers, alike in the API and in a file.

``item`` is one item and all its rules, ``terms``, ``reward`` and ``money`` its parts, ``text`` the
border for words that people wrote, ``file`` a catalogue as NDJSON.
"""

from embeddings.catalog.file import Catalog, parse_lines, read_catalog, write_catalog
from embeddings.catalog.item import Benefit, Item, ItemKind, MerchantOffer, parse_item
from embeddings.catalog.money import Money
from embeddings.catalog.reward import BenefitType, Reward, RewardType
from embeddings.catalog.terms import Budget, Channel, Limit, Period, Quota, Terms

__all__ = [
    "Benefit",
    "BenefitType",
    "Budget",
    "Catalog",
    "Channel",
    "Item",
    "ItemKind",
    "Limit",
    "MerchantOffer",
    "Money",
    "Period",
    "Quota",
    "Reward",
    "RewardType",
    "Terms",
    "parse_item",
    "parse_lines",
    "read_catalog",
    "write_catalog",
]
