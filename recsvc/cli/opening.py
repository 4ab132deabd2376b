"""How commands reach the stores."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click

from embeddings.identifying import identifying
from recsvc.api.http.schemas import ID_PATTERN
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.settings import read_settings
from recsvc.stores.assembly import Stores, open_stores


def check_issuer(issuer_id: str) -> None:
    """Refuse what cannot name an issuer: it names folders too, so dots alone lead elsewhere.

    It stands in logs and on counters as well, so a number that names a person does not either.
    """
    if not re.fullmatch(ID_PATTERN, issuer_id) or set(issuer_id) == {"."}:
        raise click.BadParameter(
            f"must match {ID_PATTERN} and hold more than dots", param_hint="--issuer"
        )
    if (found := identifying(issuer_id)) is not None:
        raise click.BadParameter(f"holds what must not come in: {found}", param_hint="--issuer")


@contextmanager
def stores_of_settings() -> Iterator[Stores]:
    """The stores at the addresses of the environment, closed at the end."""
    settings = read_settings()
    stores = open_stores(settings, open_log("error"), Metrics())
    try:
        yield stores
    finally:
        stores.close()
