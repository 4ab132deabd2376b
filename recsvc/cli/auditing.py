"""Each command that changes something, or reads somebody out, leaves one entry in the audit log."""

import os
import pwd
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from embeddings.identifying import identifying
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog

NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def _checked(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """A name that an entry can keep: no number in it names a person."""
    if name is not None and (not NAME.fullmatch(name) or identifying(name) is not None):
        raise click.BadParameter(f"must match {NAME.pattern} and hold no person's number")
    return name


ACTOR: Callable[..., Any] = click.option(
    "--actor", callback=_checked, help="who stands behind it, noted beside the system's user"
)


def tell(
    stores: Stores,
    issuer_id: str,
    action: str,
    *,
    actor: str | None,
    cardholder_id: str | None = None,
    **detail: object,
) -> int:
    """Write an entry and return its number; to be called before what it tells of is done.

    Raises
    ------
    StoreAwayError
        it was not written, so nothing may be done
    """
    log = AuditLog(stores.writes, stores.deny_list, lambda: datetime.now(UTC))
    return log.append(
        issuer_id,
        actor=who(actor),
        action=action,
        cardholder_id=cardholder_id,
        detail=detail,
    )


def who(stated: str | None) -> str:
    """The user of the operating system who ran the command, and whom he says he stands for."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        user = str(os.getuid())
    return f"cli:{user}" if stated is None else f"cli:{user}:{stated}"
