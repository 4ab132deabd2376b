"""Categories that are never named in a reason: health, faith, politics, gambling and their like.

PIPL article 28 and GDPR article 9 call such data sensitive. A purchase there may move a score, but
no sentence and no evidence may tell of it, since others may look over the cardholder's shoulder.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

RANGES = (
    (4119, 4119),  # ambulances
    (5122, 5122),  # drugs, wholesale
    (5912, 5912),  # pharmacies
    (5921, 5921),  # alcohol
    (5933, 5933),  # pawn shops
    (5967, 5967),  # adult telemarketing and content
    (5973, 5973),  # religious goods
    (5975, 5976),  # hearing aids, orthopaedic goods
    (5993, 5993),  # tobacco
    (6010, 6012),  # cash advances, lenders
    (6051, 6051),  # quasi-cash, crypto-assets
    (6211, 6211),  # securities
    (7261, 7261),  # funerals
    (7273, 7273),  # dating and escorts
    (7276, 7277),  # tax preparation, debt and marriage counselling
    (7297, 7297),  # massage parlours
    (7321, 7322),  # credit reporting, debt collection
    (7800, 7802),  # lotteries, online gambling, horse racing
    (7995, 7995),  # betting, casinos
    (8011, 8099),  # doctors, dentists, hospitals, laboratories
    (8111, 8111),  # lawyers
    (8398, 8398),  # charities and causes
    (8641, 8651),  # civic, political
    (8661, 8661),  # religious organisations
    (9211, 9223),  # courts, fines, bail
    (9311, 9311),  # taxes
    (9402, 9406),  # government services, government lotteries
)
"""Merchant category codes (ISO 18245), both ends included."""

WORDS = re.compile(
    r"\b(?:hospital|clinic|pharma|medic|doctor|dental|dentist|health|surgery|therap|psych|fertil|abortion"
    r"|casino|gambl|betting|lotter|adult|escort|dating|church|mosque|temple|synagogue|relig"
    r"|politic|party fund|trade union|funeral|pawn|debt|alcohol|liquor|tobacco|vape)"
    r"|医院|诊所|药|医疗|体检|牙科|口腔|健康|心理|整形|彩票|博彩|赌|成人用品|交友|教堂|寺|清真|宗教|政治|殡葬|典当"
    r"|债务|法院|律师|烟酒|香烟",
    re.IGNORECASE,
)
"""Words in a merchant's or category's name that tell the same where no code does."""


CODES = frozenset(f"{code:04}" for first, last in RANGES for code in range(first, last + 1))
MOST_REMEMBERED = 4096


def is_sensitive_code(mcc: str) -> bool:
    """Whether a merchant category code is sensitive; False for what is no code."""
    return mcc in CODES


@lru_cache(MOST_REMEMBERED)
def is_sensitive_name(name: str) -> bool:
    """Whether a name tells of something sensitive."""
    return WORDS.search(name) is not None


def is_sensitive(codes: Iterable[str], names: Iterable[str]) -> bool:
    """Whether any code or name is sensitive."""
    return any(map(is_sensitive_code, codes)) or any(map(is_sensitive_name, names))
