"""The smaller sections: tables of words, merchants, lookups, duplicates and checks."""

import re
from datetime import UTC, date, datetime
from typing import Any

from training.mapping.merchants import MerchantRules
from training.mapping.sections.checker import Checker, strings
from training.mapping.sections.settings import CHECKS, DUPLICATES, LOOKUP, MERCHANTS
from training.mapping.spec import Checks, Duplicates, Lookup, Mapping


def read_checks(check: Checker, table: dict[str, Any]) -> Checks:
    """Return the section [checks]."""
    check.typed("checks", table, CHECKS)
    share = table.get("max_rejected_share", 0.05)
    never = frozenset(strings(table.get("never_card_numbers", ())))
    if not 0 <= share <= 1:
        raise check.error(f"checks.max_rejected_share: {share} is not a share from 0 to 1")
    if not never <= {"transaction_id"}:
        raise check.error("checks.never_card_numbers: only transaction_id may be left out")
    earliest = table.get("earliest", date(1990, 1, 1))
    return Checks(
        max_rejected_share=float(share),
        earliest_at=datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC),
        never_card_numbers=never,
    )


def read_duplicates(check: Checker, table: dict[str, Any]) -> Duplicates:
    """Return the section [duplicates]."""
    check.typed("duplicates", table, DUPLICATES)
    return Duplicates(**table)


def read_values(check: Checker, tables: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Translations of a source column's values, their keys folded."""
    check.table("values", tables, '[values."Column of the source"]')
    for name, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
            raise check.error(f'values."{name}": must be a table of text to text')
    return {name: {fold(k): v for k, v in table.items()} for name, table in tables.items()}


def read_categories(check: Checker, table: dict[str, Any]) -> dict[str, str]:
    """Categories with their MCC, folded."""
    check.table("categories", table, '[categories] with "Book stores" = "5942"')
    for name, mcc in table.items():
        if not isinstance(mcc, str) or not re.fullmatch("[0-9]{4}", mcc):
            raise check.error(f'categories."{name}": must be an MCC of four digits as text, "5942"')
    return {fold(name): mcc for name, mcc in table.items()}


def read_lookup_tables(check: Checker, tables: list[dict[str, Any]]) -> tuple[Lookup, ...]:
    """Return the sections [[lookup]]."""
    if not isinstance(tables, list):
        raise check.error("lookup: write [[lookup]], with two brackets; there may be several")
    for table in tables:
        check.typed("lookup", table, LOOKUP)
        if set(table) != set(LOOKUP):
            raise check.error("lookup: write both file, the table, and on, the column to join by")
    return tuple(Lookup(**table) for table in tables)


def read_merchants(check: Checker, table: dict[str, Any]) -> MerchantRules:
    """Return the section [merchants]."""
    check.typed("merchants", table, MERCHANTS)
    aliases = table.get("aliases", {})
    check.patterns("merchants.aliases", list(aliases), groups=False)
    if not all(isinstance(name, str) and name for name in aliases.values()):
        raise check.error(
            "merchants.aliases: must be a table of pattern to name: '^ikea' = \"ikea\""
        )
    return MerchantRules(aliases=aliases)


def check_used(check: Checker, mapping: Mapping) -> None:
    """Refuse tables of words for columns that the mapping does not read."""
    used = mapping.used_columns()
    for name in mapping.values:
        if name not in used:
            raise check.error(
                f'values."{name}": nothing is read from a column of that name; read are '
                f"{', '.join(used)}"
            )
    if mapping.categories and "category" not in mapping.columns:
        raise check.error('categories: columns.category is missing; write category = "its column"')


def fold(text: str) -> str:
    """Key under which a value of a table is found: lower case, single spaces, none at the ends."""
    return " ".join(text.lower().split())
