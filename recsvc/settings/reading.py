"""All settings together, read from the environment once; unknown ones are refused."""

import difflib
import os
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from recsvc.settings.entrance import Entrance
from recsvc.settings.errors import PREFIX, SettingsError
from recsvc.settings.patience import Patience
from recsvc.settings.people import People
from recsvc.settings.places import Places
from recsvc.settings.serving import Serving


class Settings(People, Patience, Entrance, Serving, Places, BaseSettings):
    """What an operator may choose; each field is `RECSVC_<NAME>` in the environment.

    The groups are named from the last to the first: so their fields come in the order of the table.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment; no dot-files."""
        return init_settings, env_settings


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; refuse unknown ones.

    Parameters
    ----------
    environ : what to look at for unknown names; the process environment unless given

    Raises
    ------
    SettingsError
        naming the setting, what is wrong with it, and for an unknown one the nearest known name
    """
    _refuse_unknown(os.environ if environ is None else environ)
    try:
        if environ is None:
            return Settings()
        return Settings(**_own(environ))  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }


def _refuse_unknown(environ: Iterable[str]) -> None:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name == f"{PREFIX}DATA":
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{name}: unknown setting{hint} (all of them: recsvc check-config)")


def _explain(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = PREFIX + str(first["loc"][0]).upper()
    return f"{name}: {first['msg'].removeprefix('Value error, ')}"
