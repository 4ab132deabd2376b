"""``recsvc check-config``."""

import click
import orjson
from pydantic import SecretStr

from embeddings.signature import read_public_key
from recsvc.identity.providers import read_providers
from recsvc.settings import PREFIX, Settings, as_written, read_settings, settings_table
from recsvc.upkeep.rankings import read_rankings


@click.command("check-config")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.option("--table", is_flag=True, help="the table of settings for the README, in Markdown")
def command(*, as_json: bool, table: bool) -> None:
    """Check the settings and the files they name, and show them; secrets are not shown."""
    if table:
        click.echo(markdown_table())
        return
    settings = read_settings()
    check_files(settings)
    values = shown_values(settings)
    if as_json:
        click.echo(orjson.dumps(values))
        return
    for name, value in values.items():
        click.echo(f"{name}={value}")


def check_files(settings: Settings) -> None:
    """Read every file that a setting names, as the workers will.

    Raises
    ------
    SettingsError, EmbeddingsError
        naming the first that cannot be read, and what is wrong in it
    """
    read_rankings(settings.rankings)
    read_providers(settings.identity_providers)
    for path in settings.trusted_keys:
        read_public_key(path)


def shown_values(settings: Settings) -> dict[str, str]:
    """Every setting and its value as text; secrets and passwords are stars."""
    return {PREFIX + name.upper(): _shown(value) for name, value in settings}


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    if isinstance(value, str) and "://" in value and "@" in value:
        scheme, _, rest = value.partition("://")
        return f"{scheme}://********@{rest.rpartition('@')[2]}"
    return as_written(value)


def markdown_table() -> str:
    """Name, default and meaning of every setting, as the README prints them."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for row in settings_table():
        default = f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.name}` | {default} | {row.meaning} |")
    return "\n".join(lines)
