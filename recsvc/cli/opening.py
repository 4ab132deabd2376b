"""How commands reach the stores."""

from collections.abc import Iterator
from contextlib import contextmanager

from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.settings import read_settings
from recsvc.stores.assembly import Stores, open_stores


@contextmanager
def stores_of_settings() -> Iterator[Stores]:
    """The stores at the addresses of the environment, closed at the end."""
    settings = read_settings()
    stores = open_stores(settings, open_log("error"), Metrics())
    try:
        yield stores
    finally:
        stores.close()
