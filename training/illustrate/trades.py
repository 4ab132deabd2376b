"""What kind of shop a merchant category code is, in the words of the simulated catalogue."""

from training.simulate.trades import TRADES

UNKNOWN = "shopping"
_EXACT = {trade.mcc: trade.category for trade in TRADES}
_RANGES = (
    (3000, 3999, "travel"),
    (4011, 4131, "transport"),
    (4411, 4723, "travel"),
    (4784, 4789, "auto"),
    (4812, 4900, "utilities"),
    (5044, 5046, "electronics"),
    (5139, 5139, "fashion"),
    (5172, 5172, "auto"),
    (5200, 5271, "home"),
    (5300, 5399, "shopping"),
    (5411, 5499, "groceries"),
    (5511, 5599, "auto"),
    (5611, 5699, "fashion"),
    (5712, 5719, "home"),
    (5722, 5735, "electronics"),
    (5811, 5814, "dining"),
    (5815, 5818, "entertainment"),
    (5940, 5941, "sports"),
    (5942, 5943, "education"),
    (5944, 5944, "fashion"),
    (5945, 5945, "family"),
    (5946, 5946, "electronics"),
    (5960, 5969, "online"),
    (5977, 5977, "beauty"),
    (5992, 5992, "home"),
    (7011, 7033, "travel"),
    (7210, 7217, "home"),
    (7230, 7299, "beauty"),
    (7512, 7549, "auto"),
    (7622, 7699, "home"),
    (7829, 7841, "entertainment"),
    (7911, 7999, "entertainment"),
    (8211, 8299, "education"),
    (8351, 8351, "family"),
)
_NOT_FOR_OFFERS = (
    (4119, 4119),  # ambulances
    (5921, 5921),  # alcohol
    (5933, 5933),  # pawn shops
    (5967, 5967),  # adult content
    (5993, 5993),  # tobacco
    (6010, 6999),  # money, securities, insurance, rent
    (7261, 7277),  # funerals, dating, tax and debt advice
    (7321, 7322),  # credit reporting, debt collection
    (7800, 7802),  # lotteries, betting
    (7995, 7995),  # betting, casinos
    (8011, 8111),  # medicine, law
    (8398, 8699),  # causes, politics, religion, membership
    (9000, 9999),  # taxes, fines, other government
)
"""Codes (ISO 18245, both ends included) at which no bank would advertise."""


def category_of(mcc: str) -> str:
    """Category word of a merchant category code; ``shopping`` for one that fits nowhere."""
    if mcc in _EXACT:
        return _EXACT[mcc]
    fitting = (word for first, last, word in _RANGES if first <= int(mcc) <= last)
    return next(fitting, UNKNOWN)


def is_for_offers(mcc: str) -> bool:
    """Whether a bank would advertise there."""
    return not any(first <= int(mcc) <= last for first, last in _NOT_FOR_OFFERS)
