"""The section [columns]: which column of the source becomes which of ours."""

from typing import Any

from training.mapping.amounts import AmountRule
from training.mapping.instants import EPOCHS, reads_dates
from training.mapping.sections.checker import Checker, strings
from training.mapping.sections.settings import CHOICES, COLUMN, ONLY_FOR, TARGETS
from training.mapping.spec import Column, Source

NEEDED = (
    ("cardholder_id",),
    ("occurred_at",),
    ("amount", "amount_minor"),
    ("merchant_id", "merchant_name"),
)
"""Of each of these, a mapping names at least one."""


def read_columns(check: Checker, table: dict[str, Any]) -> dict[str, Column]:
    """Our column name → where it comes from; BadInputError names a wrong setting."""
    check.known("columns", table, TARGETS)
    return {name: _column(check, f"columns.{name}", value) for name, value in table.items()}


def read_amount(columns: dict[str, Any]) -> AmountRule:
    """How amounts are written; the name ``amount_minor`` says minor units by itself."""
    target = "amount" if "amount" in columns else "amount_minor"
    value = columns[target] if isinstance(columns[target], dict) else {}
    unit = "minor" if target == "amount_minor" else "decimal"
    settings = {key: value[key] for key in ("decimal", "unit", "refund") if key in value}
    return AmountRule(**{"unit": unit, **settings})


def check_complete(check: Checker, found: dict[str, Column], source: Source) -> None:
    """Refuse a mapping without a required column, or with one source column used twice."""
    for names in NEEDED:
        if not any(name in found for name in names):
            raise check.error(
                f"columns: {' or '.join(names)} is missing; name the column of your file that it "
                f'comes from: {names[-1]} = "…"'
            )
    if "amount" in found and "amount_minor" in found:
        raise check.error("columns: amount and amount_minor are one thing; write one of them")
    if source.currency is None and "currency" not in found:
        raise check.error(
            'source.currency is missing, and no column says the currency; write currency = "GBP" '
            'in [source], or currency = "its column" in [columns]'
        )
    _check_owners(check, found)


def _check_owners(check: Checker, found: dict[str, Column]) -> None:
    """Refuse a source column that stands for two of ours."""
    owners: dict[str, str] = {}
    for target, column in found.items():
        for name in () if column.combine else column.columns:
            if name in owners:
                raise check.error(
                    f'columns: "{name}" is named twice, for {owners[name]} and {target}; '
                    "each column of the source stands for one of ours"
                )
            owners[name] = target


def _column(check: Checker, where: str, value: object) -> Column:
    """One column of ours."""
    if isinstance(value, str | list):
        value = {"column": value}
    if not isinstance(value, dict):
        raise check.error(f"{where}: must be a column's name, a list of spellings or a table")
    check.typed(where, value, COLUMN)
    if ("column" in value) == ("combine" in value):
        raise check.error(f"{where}: write either column or combine")
    _check_target(check, where, value)
    _check_formats(check, where, strings(value.get("format", ())))
    names = strings(value.get("column", value.get("combine")))
    if not names or not all(names) or len(set(names)) != len(names):
        raise check.error(f"{where}: names no column, or one twice")
    return Column(
        columns=names,
        combine="combine" in value,
        separator=value.get("separator", "_"),
        fill=value.get("fill"),
        remove=check.patterns(f"{where}.remove", value.get("remove", ()), groups=False),
        patterns=check.patterns(f"{where}.pattern", value.get("pattern", ()), groups=True),
        prefix=value.get("prefix", ""),
        formats=strings(value.get("format", ())),
        id_rule=value.get("id", "slug"),
    )


def _check_formats(check: Checker, where: str, formats: tuple[str, ...]) -> None:
    """Refuse a format that cannot read the very date that it writes."""
    for pattern in formats:
        if pattern not in EPOCHS and not reads_dates(pattern):
            raise check.error(
                f'{where}.format: "{pattern}" does not read a whole date; write it like '
                '"%d/%m/%Y" or "%Y-%m-%d %H:%M:%S", or epoch_s, epoch_ms, epoch_us'
            )


def _check_target(check: Checker, where: str, value: dict[str, Any]) -> None:
    """Refuse settings that mean nothing for this column of ours."""
    for setting, targets in ONLY_FOR.items():
        if setting in value and where.removeprefix("columns.") not in targets:
            raise check.error(
                f"{where}.{setting}: means nothing here, only for {' and '.join(targets)}"
            )
    for setting, choices in CHOICES.items():
        if value.get(setting, choices[0]) not in choices:
            raise check.error(f"{where}.{setting}: must be {' or '.join(choices)}")
    for setting in ("fill", "separator"):
        if setting in value and "combine" not in value:
            raise check.error(f"{where}.{setting}: means something only beside combine")
