"""The only place where the parts of the service meet."""

from collections.abc import Callable
from datetime import datetime

from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI

from recsvc.api import lifecycle, problems
from recsvc.api.auth import Gate, KeyRing
from recsvc.api.cardholders import cardholder_routes
from recsvc.api.docs import docs_blueprint
from recsvc.api.health import health_blueprint
from recsvc.api.routing import Routes
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.services import Services
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.watcher import Round, Watcher

EXTENSION = "recsvc"
API_VERSION = "1.0.0"


def create_app(
    settings: Settings,
    *,
    stores: Stores,
    clock: Callable[[], datetime],
    log: Log,
    metrics: Metrics,
) -> OpenAPI:
    """Assemble the service; starts nothing and asks nothing of anyone.

    Parameters
    ----------
    settings : what the operator chose
    stores : where it remembers
    clock : aware now
    log, metrics : where it tells

    Returns
    -------
    OpenAPI
        a Flask application whose extension `recsvc` is the `Services` to start after the fork
    """
    app = _bare_app(settings)
    keys = KeyRing(clock)
    services = Services(
        settings, log, metrics, stores, _watcher(settings, stores, keys, log, metrics)
    )
    problems.install(app, log)
    lifecycle.install(app, log, metrics, access_log=settings.access_log)
    app.register_blueprint(health_blueprint(services.unready_reasons, metrics))
    for routes in _routes(settings, stores, clock, Gate((keys,))):
        app.register_api(routes.blueprint)
    app.register_blueprint(docs_blueprint(app))
    app.extensions[EXTENSION] = services
    return app


def _bare_app(settings: Settings) -> OpenAPI:
    scheme = SecurityScheme(
        type="http", scheme="bearer", description="An API key: `rsk_<key id>_<secret>`."
    )
    app = OpenAPI(
        "recsvc",
        info=Info(title="recsvc", version=API_VERSION),
        security_schemes={"key": scheme},
        validation_error_model=problems.Problem,
        doc_ui=False,
        static_folder=None,
    )
    app.openapi_version = "3.1.0"
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_limit_bytes,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
    )
    return app


def _routes(
    settings: Settings, stores: Stores, clock: Callable[[], datetime], gate: Gate
) -> tuple[Routes, ...]:
    limit = settings.body_limit_bytes
    return (cardholder_routes(gate, stores.cardholders, clock, limit),)


def _watcher(
    settings: Settings, stores: Stores, keys: KeyRing, log: Log, metrics: Metrics
) -> Watcher:
    rounds = [
        Round(
            "keys",
            settings.catalog_poll_seconds,
            lambda: keys.replace(stores.api_keys.all()),
        )
    ]
    return Watcher(rounds, log, metrics)
