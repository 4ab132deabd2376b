"""``recsvc keys create|list|revoke``."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import orjson

from recsvc.cli.auditing import ACTOR, tell
from recsvc.cli.opening import check_issuer, stores_of_settings
from recsvc.stores.entrance.api_keys import SCOPES, ApiKey, ApiKeyStore


@click.group("keys")
def command() -> None:
    """Create, list and revoke API keys."""


@command.command()
@click.option("--issuer", required=True, help="the issuer whose data the key opens")
@click.option(
    "--scope", "scopes", required=True, multiple=True, type=click.Choice(SCOPES), help="repeatable"
)
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="never unless given")
@ACTOR
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def create(
    *,
    issuer: str,
    scopes: tuple[str, ...],
    expires_in_days: int | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    check_issuer(issuer)
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=expires_in_days) if expires_in_days else None
    key, shown = ApiKeyStore.drawn(issuer, scopes, now=now, expires_at=expires_at)
    with stores_of_settings() as stores:
        tell(
            stores,
            issuer,
            "key_created",
            actor=actor,
            key_id=key.key_id,
            scopes=sorted(key.scopes),
            expires_at=expires_at,
        )
        stores.api_keys.keep(key)
    click.echo(orjson.dumps({"key": shown, **document_of(key)}) if as_json else shown)


@command.command("list")
@click.option("--issuer", help="only keys of this issuer")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
def show(*, issuer: str | None, as_json: bool) -> None:
    """List keys; their secrets are not kept anywhere."""
    with stores_of_settings() as stores:
        keys = sorted(stores.api_keys.all().values(), key=lambda key: (key.issuer_id, key.key_id))
    shown = [document_of(key) for key in keys if issuer in (None, key.issuer_id)]
    if as_json:
        click.echo(orjson.dumps({"keys": shown}))
        return
    for key in shown:
        scopes = " ".join(key["scopes"])
        state = "revoked" if key["revoked_at"] else f"until {key['expires_at'] or 'revoked'}"
        click.echo(f"{key['key_id']}  {key['issuer_id']}  {state}  {scopes}")


@command.command()
@click.argument("key_id")
@ACTOR
def revoke(*, key_id: str, actor: str | None) -> None:
    """Revoke a key; every worker refuses it within a second."""
    with stores_of_settings() as stores:
        key = stores.api_keys.get(key_id)
        if key is None:
            raise click.ClickException("no key of this id; see: recsvc keys list")
        tell(stores, key.issuer_id, "key_revoked", actor=actor, key_id=key_id)
        stores.api_keys.revoke(key_id, now=datetime.now(UTC))
    click.echo(f"revoked {key_id}")


def document_of(key: ApiKey) -> dict[str, Any]:
    """What may be shown of a key."""
    return {
        "key_id": key.key_id,
        "issuer_id": key.issuer_id,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
