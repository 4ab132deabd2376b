"""Every setting a mapping file may have, with the type that TOML must give it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from training.usage.schema import OPTIONAL, REQUIRED

Kinds = Mapping[str, type | tuple[type, ...]]

SECTIONS = (
    "source",
    "columns",
    "values",
    "categories",
    "merchants",
    "lookup",
    "duplicates",
    "checks",
)
TARGETS = ("amount", *REQUIRED, *OPTIONAL)
"""Our columns, as [columns] names them."""

SOURCE: Kinds = MappingProxyType(
    {
        "format": str,
        "files": (str, list),
        "package": str,
        "encoding": str,
        "delimiter": str,
        "quote": str,
        "names": list,
        "skip_lines": int,
        "currency": str,
        "timezone": str,
        "null_values": list,
        "file_column": str,
        "max_rows": int,
    }
)
COLUMN: Kinds = MappingProxyType(
    {
        "column": (str, list),
        "combine": list,
        "separator": str,
        "fill": str,
        "remove": (str, list),
        "pattern": (str, list),
        "prefix": str,
        "format": (str, list),
        "id": str,
        "decimal": str,
        "unit": str,
        "refund": str,
    }
)
ONLY_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "format": ("occurred_at",),
        **dict.fromkeys(("decimal", "unit", "refund"), ("amount", "amount_minor")),
        "id": ("cardholder_id", "transaction_id", "merchant_id", "card_product_id"),
    }
)
"""Settings of a column that mean something only for these of ours."""

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("slug", "hash"),
        "decimal": (".", ","),
        "unit": ("decimal", "minor"),
        "refund": ("negative", "positive"),
    }
)
"""Values such a setting may have; the first is the default."""

LOOKUP: Kinds = MappingProxyType({"file": str, "on": str})
MERCHANTS: Kinds = MappingProxyType({"aliases": dict})
DUPLICATES: Kinds = MappingProxyType({"across_files": bool, "within_file": bool})
CHECKS: Kinds = MappingProxyType(
    {"max_rejected_share": (int, float), "earliest": date, "never_card_numbers": list}
)
