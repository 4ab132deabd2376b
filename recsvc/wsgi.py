"""What gunicorn calls in each worker: `recsvc.wsgi:application()`."""

from datetime import UTC, datetime

from flask import Flask

from embeddings.signature import read_public_key
from recsvc.app import create_app
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.settings import metrics_folder, read_settings
from recsvc.stores.assembly import open_stores
from recsvc.upkeep.shelves import Shelves


def application() -> Flask:
    """The service as the environment describes it.

    Raises
    ------
    SettingsError
        naming the setting that is wrong
    """
    settings = read_settings()
    log = open_log(settings.log_level)
    metrics = Metrics(metrics_folder())
    return create_app(
        settings,
        stores=open_stores(settings, log, metrics),
        shelf=Shelves(settings.shelf, [read_public_key(path) for path in settings.trusted_keys]),
        clock=_now,
        log=log,
        metrics=metrics,
    )


def _now() -> datetime:
    return datetime.now(UTC)
