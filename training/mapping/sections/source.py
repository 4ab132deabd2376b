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
    if len(settings.get("delimiter", ",")) != 1 or len(settings.get("quote", "")) > 1:
        raise check.error("source.delimiter and source.quote: must be one character")
    if settings.get("skip_lines", 0) < 0 or settings.get("max_rows", 1) < 1:
        raise check.error("source.skip_lines and source.max_rows: must not be negative")
    if settings.get("currency", "EUR") not in CODES:
        raise check.error("source.currency: must be an ISO 4217 code such as GBP or CNY")
    check.must(lambda: "".encode(settings.get("encoding", "utf-8")), "source.encoding")
    check.must(lambda: ZoneInfo(settings.get("timezone", "UTC")), "source.timezone")
