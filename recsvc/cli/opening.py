"""How commands reach the stores."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from recsvc.api.schemas import ID_PATTERN
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.settings import read_settings
from recsvc.stores.assembly import Stores, open_stores


def check_issuer(issuer_id: str) -> None:
    """Refuse what cannot name an issuer: it names folders too, so dots alone lead elsewhere."""
    if not re.fullmatch(ID_PATTERN, issuer_id) or set(issuer_id) == {"."}:
        raise click.BadParameter(
            f"must match {ID_PATTERN} and hold more than dots", param_hint="--issuer"
        )


@contextmanager
def stores_of_settings() -> Iterator[Stores]:
    """The stores at the addresses of the environment, closed at the end."""
    settings = read_settings()
    stores = open_stores(settings, open_log("error"), Metrics())
    try:
        yield stores
    finally:
        stores.close()
