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
        shown = _shown_default(default)
        rows.append(SettingRow(PREFIX + name.upper(), shown, field.description or ""))
    return tuple(rows)


def _shown_default(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple):
        parts = ("=".join(part) if isinstance(part, tuple) else str(part) for part in default)
        return ",".join(parts)
    return str(default).lower() if isinstance(default, bool) else str(default)
