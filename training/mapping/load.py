"""Reads a mapping file, with errors that name the setting and say what to write instead."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from training.errors import BadInputError
from training.mapping.amounts import AmountRule
from training.mapping.currencies import CODES
from training.mapping.merchants import MerchantRules
from training.mapping.spec import Checks, Column, Duplicates, Lookup, Mapping, Source
from training.usage.schema import OPTIONAL, REQUIRED

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
SOURCE_SETTINGS: dict[str, type | tuple[type, ...]] = {
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
COLUMN_SETTINGS: dict[str, type | tuple[type, ...]] = {
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
SEMICOLON = re.compile(
    r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*|;"
)
TARGETS = ("amount", *REQUIRED, *OPTIONAL)


def load_mapping(path: Path) -> Mapping:
    """Return what a mapping file says.

    Raises
    ------
    BadInputError
        The file is not there or not TOML, or a setting is unknown, missing or without meaning.
    """
    try:
        document = _parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "; a column is named twice" if "overwrite" in str(error) else ""
        raise BadInputError(f"{path.name}: not a mapping in TOML{hint}: {error}") from error
    return _Reader(path.name).mapping(document)


def _parsed(text: str) -> dict[str, Any]:
    """Read TOML, in which a semicolon may also stand between two settings of one line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        split = SEMICOLON.sub(lambda found: "\n" if found[0] == ";" else found[0], text)
        if split == text:
            raise
        try:
            return tomllib.loads(split)
        except tomllib.TOMLDecodeError:
            raise error from None


class _Reader:
    """Turns the document of one file into a Mapping; every error begins with the file's name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def mapping(self, document: dict[str, Any]) -> Mapping:
        """Return the whole mapping."""
        self._known("", document, SECTIONS)
        for section in ("source", "columns"):
            if not isinstance(document.get(section), dict):
                raise self._error(f"[{section}] is missing")
        columns = document["columns"]
        self._known("columns", columns, TARGETS)
        found = {name: self._column(f"columns.{name}", value) for name, value in columns.items()}
        source = self._source(document["source"])
        self._complete(found, source)
        return Mapping(
            name=self._name,
            source=source,
            columns=found,
            amount=self._amount(columns),
            checks=self._checks(document.get("checks", {})),
            duplicates=Duplicates(**self._typed("duplicates", document, bool)),
            values=self._values(document.get("values", {})),
            categories=self._categories(document.get("categories", {})),
            lookups=self._lookups(document.get("lookup", [])),
            merchants=self._merchants(document.get("merchants", {})),
        )

    def _source(self, table: dict[str, Any]) -> Source:
        self._typed_table("source", table, SOURCE_SETTINGS)
        if table.get("format") not in ("csv", "parquet"):
            raise self._error('source.format: must be "csv" or "parquet"')
        settings = dict(table)
        settings["files"] = _strings(table.get("files", ()))
        settings["names"] = _strings(table.get("names", ()))
        settings["null_values"] = frozenset(_strings(table.get("null_values", ())))
        if not settings["files"]:
            raise self._error('source.files: missing; write a pattern such as "raw/*.csv"')
        self._readable_source(settings)
        return Source(**settings)

    def _readable_source(self, settings: dict[str, Any]) -> None:
        """Refuse settings that no csv can have, and unknown currencies and zones."""
        if len(settings.get("delimiter", ",")) != 1 or len(settings.get("quote", "")) > 1:
            raise self._error("source.delimiter and source.quote: must be one character")
        if settings.get("skip_lines", 0) < 0 or settings.get("max_rows", 1) < 1:
            raise self._error("source.skip_lines and source.max_rows: must not be negative")
        if settings.get("currency", "EUR") not in CODES:
            raise self._error("source.currency: must be an ISO 4217 code such as GBP or CNY")
        self._must(lambda: "".encode(settings.get("encoding", "utf-8")), "source.encoding")
        self._must(lambda: ZoneInfo(settings.get("timezone", "UTC")), "source.timezone")

    def _column(self, where: str, value: object) -> Column:
        if isinstance(value, str | list):
            value = {"column": value}
        if not isinstance(value, dict):
            raise self._error(f"{where}: must be a column's name, a list of spellings or a table")
        self._typed_table(where, value, COLUMN_SETTINGS)
        if ("column" in value) == ("combine" in value):
            raise self._error(f"{where}: write either column or combine")
        self._for_its_target(where, value)
        names = _strings(value.get("column", value.get("combine")))
        if not names or not all(names) or len(set(names)) != len(names):
            raise self._error(f"{where}: names no column, or one twice")
        return Column(
            columns=names,
            combine="combine" in value,
            separator=value.get("separator", "_"),
            fill=value.get("fill"),
            remove=self._patterns(f"{where}.remove", value.get("remove", ()), groups=False),
            patterns=self._patterns(f"{where}.pattern", value.get("pattern", ()), groups=True),
            prefix=value.get("prefix", ""),
            formats=_strings(value.get("format", ())),
            id_rule=value.get("id", "slug"),
        )

    def _for_its_target(self, where: str, value: dict[str, Any]) -> None:
        """Refuse settings that mean nothing for this column."""
        allowed = {
            "format": ("occurred_at",),
            **dict.fromkeys(("decimal", "unit", "refund"), ("amount", "amount_minor")),
            "id": ("cardholder_id", "transaction_id", "merchant_id", "card_product_id"),
        }
        for setting, targets in allowed.items():
            if setting in value and where.removeprefix("columns.") not in targets:
                raise self._error(f"{where}.{setting}: means nothing here, only for {targets[0]}")
        for setting, choices in (
            ("id", ("slug", "hash")),
            ("decimal", (".", ",")),
            ("unit", ("decimal", "minor")),
            ("refund", ("negative", "positive")),
        ):
            if value.get(setting, choices[0]) not in choices:
                raise self._error(f"{where}.{setting}: must be {' or '.join(choices)}")

    def _complete(self, found: dict[str, Column], source: Source) -> None:
        """Refuse a mapping without a required column, or with one source column used twice."""
        needed = (("cardholder_id",), ("occurred_at",), ("amount", "amount_minor"))
        for names in (*needed, ("merchant_id", "merchant_name")):
            if not any(name in found for name in names):
                raise self._error(f"columns: {' or '.join(names)} is missing")
        if "amount" in found and "amount_minor" in found:
            raise self._error("columns: amount and amount_minor are one thing; write one of them")
        if source.currency is None and "currency" not in found:
            raise self._error("source.currency is missing, and no column says the currency")
        owners: dict[str, str] = {}
        for target, column in found.items():
            for name in () if column.combine else column.columns:
                if name in owners:
                    raise self._error(
                        f'columns: "{name}" is named twice, for {owners[name]} and {target}; '
                        "each column of the source stands for one of ours"
                    )
                owners[name] = target

    def _amount(self, columns: dict[str, Any]) -> AmountRule:
        """How amounts are written; the name ``amount_minor`` says minor units by itself."""
        target = "amount" if "amount" in columns else "amount_minor"
        value = columns[target] if isinstance(columns[target], dict) else {}
        unit = "minor" if target == "amount_minor" else "decimal"
        settings = {key: value[key] for key in ("decimal", "unit", "refund") if key in value}
        return AmountRule(**{"unit": unit, **settings})

    def _checks(self, table: dict[str, Any]) -> Checks:
        self._typed_table(
            "checks",
            table,
            {"max_rejected_share": (int, float), "earliest": date, "never_card_numbers": list},
        )
        share = table.get("max_rejected_share", 0.05)
        never = frozenset(_strings(table.get("never_card_numbers", ())))
        if not 0 <= share <= 1:
            raise self._error(f"checks.max_rejected_share: {share} is not a share from 0 to 1")
        if not never <= {"transaction_id"}:
            raise self._error("checks.never_card_numbers: only transaction_id may be left out")
        earliest = table.get("earliest", date(1990, 1, 1))
        return Checks(
            max_rejected_share=float(share),
            earliest_at=datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC),
            never_card_numbers=never,
        )

    def _values(self, tables: dict[str, Any]) -> dict[str, dict[str, str]]:
        """Translations of a source column's values, their keys folded."""
        for name, table in tables.items():
            if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
                raise self._error(f'values."{name}": must be a table of text to text')
        return {name: {fold(k): v for k, v in table.items()} for name, table in tables.items()}

    def _categories(self, table: dict[str, Any]) -> dict[str, str]:
        """Categories with their MCC, folded."""
        for name, mcc in table.items():
            if not isinstance(mcc, str) or not re.fullmatch("[0-9]{4}", mcc):
                raise self._error(f'categories."{name}": must be an MCC of four digits as text')
        return {fold(name): mcc for name, mcc in table.items()}

    def _lookups(self, tables: list[dict[str, Any]]) -> tuple[Lookup, ...]:
        for table in tables:
            self._typed_table("lookup", table, {"file": str, "on": str})
            if set(table) != {"file", "on"}:
                raise self._error("lookup: write both file and on")
        return tuple(Lookup(**table) for table in tables)

    def _merchants(self, table: dict[str, Any]) -> MerchantRules:
        self._typed_table("merchants", table, {"aliases": dict})
        aliases = table.get("aliases", {})
        self._patterns("merchants.aliases", list(aliases), groups=False)
        if not all(isinstance(name, str) and name for name in aliases.values()):
            raise self._error("merchants.aliases: must be a table of pattern to name")
        return MerchantRules(aliases=aliases)

    def _patterns(self, where: str, value: Any, *, groups: bool) -> tuple[str, ...]:  # noqa: ANN401
        """Regular expressions that compile; with a group where the group is the value."""
        found = _strings(value)
        for pattern in found:
            self._must(partial(_compiled, pattern), f"{where} '{pattern}'")
            if groups and re.search(r"(?<!\\)\((?!\?)", pattern) is None:
                raise self._error(f"{where} '{pattern}': has no group (…) around the value")
        return found

    def _typed(self, section: str, document: dict[str, Any], kind: type) -> dict[str, Any]:
        table = document.get(section, {})
        self._typed_table(section, table, dict.fromkeys(("across_files", "within_file"), kind))
        return dict(table)

    def _typed_table(
        self, where: str, table: object, settings: dict[str, type | tuple[type, ...]]
    ) -> None:
        """Refuse settings that are unknown or of another type."""
        if not isinstance(table, dict):
            raise self._error(f"{where}: must be a table")
        self._known(where, table, settings)
        for name, value in table.items():
            kind = settings[name]
            is_bool = isinstance(value, bool) and kind is not bool
            texts = not isinstance(value, list) or all(isinstance(v, str) for v in value)
            if is_bool or not isinstance(value, kind) or not texts:
                raise self._error(f"{where}.{name}: is of the wrong type, {type(value).__name__}")

    def _known(self, where: str, table: dict[str, Any], known: Collection[str]) -> None:
        for name in table:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                dotted = f"{where}.{name}" if where else name
                raise self._error(f"unknown setting {dotted}; {hint}")

    def _must(self, action: Callable[[], object], where: str) -> None:
        """Run a check of a library; what it refuses is our error."""
        try:
            action()
        except (LookupError, ValueError, OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).splitlines()[0]
            raise self._error(f"{where}: not known or not readable ({reason})") from error

    def _error(self, message: str) -> BadInputError:
        return BadInputError(f"{self._name}: {message}")


def fold(text: str) -> str:
    """Key under which a value of a table is found: lower case, single spaces, none at the ends."""
    return " ".join(text.lower().split())


def _compiled(pattern: str) -> None:
    """Try a pattern on the engine that will run it."""
    pl.Series([""]).str.contains(pattern)


def _strings(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """One text or a list of them, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value or ())
