"""The section [source]: which files, and how they are written."""

from typing import Any
from zoneinfo import ZoneInfo

from training.mapping.currencies import CODES
from training.mapping.sections.checker import Checker, strings
from training.mapping.sections.settings import SOURCE
from training.mapping.spec import Source


def read_source(check: Checker, table: dict[str, Any]) -> Source:
    """Return the section as it is meant; BadInputError names a wrong setting."""
    check.typed("source", table, SOURCE)
    if table.get("format") not in ("csv", "parquet"):
        raise check.error('source.format: must be "csv" or "parquet"')
    settings = dict(table)
    settings["files"] = strings(table.get("files", ()))
    settings["names"] = strings(table.get("names", ()))
    settings["null_values"] = frozenset(strings(table.get("null_values", ())))
    if not settings["files"]:
        raise check.error('source.files: missing; write a pattern such as "raw/*.csv"')
    _check_readable(check, settings)
    return Source(**settings)


def _check_readable(check: Checker, settings: dict[str, Any]) -> None:
    """Refuse settings that no csv can have, and unknown currencies and zones."""
    _check_marks(check, settings.get("delimiter", ","), settings.get("quote", '"'))
    if settings.get("skip_lines", 0) < 0:
        raise check.error("source.skip_lines: must be 0 or more")
    if settings.get("max_rows", 1) < 1:
        raise check.error("source.max_rows: must be 1 or more")
    names = settings["names"]
    if twice := [name for name in names if names.count(name) > 1]:
        raise check.error(f'source.names: "{twice[0]}" is there twice; rename one of them')
    currency = settings.get("currency", "EUR")
    if currency not in CODES:
        raise check.error(
            f'source.currency: "{currency}" is not known; it must be an ISO 4217 code such as '
            "GBP or CNY"
        )
    encoding, zone = settings.get("encoding", "utf-8"), settings.get("timezone", "UTC")
    check.must(
        lambda: "".encode(encoding),
        f'source.encoding: "{encoding}"',
        "write utf-8, cp1252, gb18030",
    )
    check.must(
        lambda: ZoneInfo(zone), f'source.timezone: "{zone}"', "write a name such as Europe/London"
    )


def _check_marks(check: Checker, delimiter: str, quote: str) -> None:
    """Refuse a delimiter or a quote that no parser of csv takes."""
    for setting, mark in (("delimiter", delimiter), ("quote", quote)):
        bad = len(mark) != 1 or not mark.isascii() or mark in "\r\n"
        if bad and (setting, mark) != ("quote", ""):
            raise check.error(
                f'source.{setting}: must be one character of ASCII; a tab is written "\\t"'
            )
    if delimiter == quote:
        raise check.error("source.delimiter and source.quote: must be two different characters")
