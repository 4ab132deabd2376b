"""Why a row is put aside: every reason, what it means and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Parameters
    ----------
    meaning : str
        What is wrong with such a row.
    remedy : str
        What to do when there are many of them.
    """

    meaning: str
    remedy: str


REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        "wrong_number_of_fields": Reason(
            "the line has more or fewer fields than the header",
            "check source.delimiter and source.quote",
        ),
        "empty_row": Reason("nothing stands in any column that the mapping reads", "none is lost"),
        "card_number": Reason(
            "a text holds what looks like a card number",
            "bring account references in its place; a long transaction number may be left out of "
            'the search with never_card_numbers = ["transaction_id"] in [checks]',
        ),
        "personal_number": Reason(
            "a text holds what looks like a resident id or a mobile number",
            "bring an id of your own in its place",
        ),
        "undecodable_text": Reason(
            "bytes that are no text of the encoding",
            'write the encoding of the file in source.encoding, such as "cp1252" or "gb18030"',
        ),
        "cardholder_id_missing": Reason(
            "nobody to whom the purchase belongs",
            "check columns.cardholder_id; for combine, fill stands for a missing part",
        ),
        "merchant_missing": Reason(
            "neither merchant_id nor a merchant_name with a letter or digit",
            "check columns.merchant_name",
        ),
        "currency_missing": Reason(
            "no currency", "write source.currency, for rows that do not say their own"
        ),
        "currency_unknown": Reason(
            "not a code of ISO 4217",
            'translate the source\'s words: [values.Column] with "POUND" = "GBP"',
        ),
        "amount_missing": Reason("no amount", "check columns.amount"),
        "amount_unreadable": Reason(
            "not a number, or its thousands and decimals are marked otherwise than stated",
            'for 1.234,56 write amount = { column = "…", decimal = "," }',
        ),
        "amount_too_precise": Reason(
            "more decimals than the currency has",
            "check that the currency is right; round in the source if they are meant",
        ),
        "amount_too_large": Reason(
            "more than 10^15 minor units", 'if the amounts are minor units write unit = "minor"'
        ),
        "amount_zero": Reason("an amount of 0 is no purchase", "none is lost"),
        "occurred_at_unreadable": Reason(
            "no date, or another format than stated",
            "write its format in columns.occurred_at, such as "
            '{ column = "Date", format = "%d/%m/%Y" }',
        ),
        "occurred_at_too_early": Reason(
            "before checks.earliest", "check the year in the format: %y has two digits, %Y four"
        ),
        "occurred_at_in_future": Reason(
            "more than a day from now", "check the order of day and month in the format"
        ),
        "status_unknown": Reason(
            "not approved, settled, reversed, returned or declined",
            'translate the source\'s words: [values.Column] with "Posted" = "settled"',
        ),
        "mcc_unreadable": Reason(
            "not a number of one to four digits",
            "name a column of merchant category codes as mcc, one of words as category",
        ),
        "duplicate_row": Reason(
            "the same purchase as a row read before",
            "set across_files or within_file in [duplicates]",
        ),
    }
)
