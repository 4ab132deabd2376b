"""The table of settings that the README prints."""

from typing import NamedTuple

from pydantic import SecretStr

from recsvc.settings.errors import PREFIX
from recsvc.settings.reading import Settings


class SettingRow(NamedTuple):
    """One line of the README's table of settings."""

    name: str
    default: str
    meaning: str


def settings_table() -> tuple[SettingRow, ...]:
    """All settings with default and meaning, as the README prints them."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else field.default
        rows.append(SettingRow(PREFIX + name.upper(), as_written(default), field.description or ""))
    return tuple(rows)


def as_written(value: object) -> str:
    """A value as the environment holds it; None is nothing."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        parts = ("=".join(part) if isinstance(part, tuple) else str(part) for part in value)
        return ",".join(parts)
    return str(value).lower() if isinstance(value, bool) else str(value)
