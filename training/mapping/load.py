"""Reads a mapping file, with errors that name the setting and say what to write instead."""

import re
import tomllib
from pathlib import Path
from typing import Any

from training.errors import BadInputError
from training.mapping.sections.checker import Checker
from training.mapping.sections.columns import check_complete, read_amount, read_columns
from training.mapping.sections.rules import (
    check_used,
    read_categories,
    read_checks,
    read_duplicates,
    read_lookup_tables,
    read_merchants,
    read_values,
)
from training.mapping.sections.settings import SECTIONS
from training.mapping.sections.source import read_source
from training.mapping.spec import Mapping

SEMICOLON = re.compile(
    r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*|;"
)


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
        raise BadInputError(
            f"--mapping {path}: cannot be read ({error.strerror or error})"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path.name}: is not UTF-8; save it with that encoding") from error
    except tomllib.TOMLDecodeError as error:
        hint = "; a column is named twice" if "overwrite" in str(error) else ""
        raise BadInputError(f"{path.name}: not a mapping in TOML{hint}: {error}") from error
    return _mapping(Checker(path.name), document)


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


def _mapping(check: Checker, document: dict[str, Any]) -> Mapping:
    """Turn the document of one file into a Mapping."""
    check.known("", document, SECTIONS)
    for section in ("source", "columns"):
        if not isinstance(document.get(section), dict):
            raise check.error(f"[{section}] is missing")
    columns = read_columns(check, document["columns"])
    source = read_source(check, document["source"])
    check_complete(check, columns, source)
    mapping = Mapping(
        name=check.name,
        source=source,
        columns=columns,
        amount=read_amount(document["columns"]),
        checks=read_checks(check, document.get("checks", {})),
        duplicates=read_duplicates(check, document.get("duplicates", {})),
        values=read_values(check, document.get("values", {})),
        categories=read_categories(check, document.get("categories", {})),
        lookups=read_lookup_tables(check, document.get("lookup", [])),
        merchants=read_merchants(check, document.get("merchants", {})),
    )
    check_used(check, mapping)
    return mapping
