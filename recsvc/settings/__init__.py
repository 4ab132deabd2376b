"""Every setting of the service, read once from the environment by whoever assembles it.

This package is the only door to the environment. ``places``, ``serving``, ``entrance``,
``patience`` and ``people`` name the settings and their limits, ``kinds`` reads those that are more
than a number or a word, ``reading`` puts them together, ``table`` shows them, ``files`` reads
what some of them point to, ``processes`` is the environment that the server starts in, ``errors``
tells what is wrong by a setting's name.
"""

from recsvc.settings.errors import PREFIX, SettingsError
from recsvc.settings.files import read_file
from recsvc.settings.processes import metrics_folder, refuse_many_threads, serving_environment
from recsvc.settings.reading import Settings, read_settings
from recsvc.settings.table import SettingRow, as_written, settings_table

__all__ = [
    "PREFIX",
    "SettingRow",
    "Settings",
    "SettingsError",
    "as_written",
    "metrics_folder",
    "read_file",
    "read_settings",
    "refuse_many_threads",
    "serving_environment",
    "settings_table",
]
