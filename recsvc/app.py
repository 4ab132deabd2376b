"""The only place where the parts of the service meet."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask

from recsvc.api.cardholders import cardholder_routes
from recsvc.api.catalog import catalog_routes
from recsvc.api.desk import Desk
from recsvc.api.docs import docs_blueprint
from recsvc.api.health import health_blueprint
from recsvc.api.http import auditing, lifecycle, problems
from recsvc.api.http.application import Application
from recsvc.api.http.auditing import AuditedGate
from recsvc.api.http.auth import Gate, KeyRing
from recsvc.api.http.budgets import Budgets
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.express import Express
from recsvc.api.http.lifecycle import Teller
from recsvc.api.http.rates import ProbeWatch, RateLimits
from recsvc.api.http.routing import Routes
from recsvc.api.items import item_routes
from recsvc.api.models import model_routes
from recsvc.api.outreach import outreach_routes
from recsvc.api.recommendations import recommendation_routes
from recsvc.domain.model import ModelSlot
from recsvc.domain.recommender import Recommender
from recsvc.feedback import Feedback
from recsvc.identity.jwks import KeySource
from recsvc.identity.providers import read_providers
from recsvc.identity.tokens import TokenCredentials
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.services import Services
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.events.serves import ServeLog
from recsvc.upkeep.keys import KeyFollower
from recsvc.upkeep.loading import Loader
from recsvc.upkeep.rankings import read_rankings
from recsvc.upkeep.shelves import Shelves
from recsvc.upkeep.watcher import Round, Watcher

EXTENSION, EXPRESS = "recsvc", "recsvc-express"
IDENTITY_SECONDS = 1.0
WAITS = 3
"""Waits of one question to a store: for a free connection, to connect, for the answer."""


def create_app(
    settings: Settings,
    *,
    stores: Stores,
    shelf: Shelves,
    clock: Callable[[], datetime],
    log: Log,
    metrics: Metrics,
) -> Flask:
    """Assemble the service; starts nothing and asks nothing of anyone.

    Parameters
    ----------
    settings : what the operator chose
    stores : where it remembers
    shelf : where published bundles stand
    clock : aware now
    log, metrics : where it tells

    Returns
    -------
    Flask
        an application with two extensions: `recsvc`, the `Services` to start after the fork, and
        `recsvc-express`, which answers plain requests ahead of it
    """
    app = _bare_app(settings)
    keys, slot = KeyRing(clock), ModelSlot()
    loader = Loader(stores=stores, shelves=shelf, slot=slot, log=log, metrics=metrics)
    follower = KeyFollower(stores.api_keys, keys)
    sources = _key_sources(settings, log, metrics)
    recommender = _recommender(settings)
    feedback = Feedback.of(settings, stores, slot, recommender, clock, metrics)
    outreach = Outreach.of(settings, stores, slot, clock)
    threads = {
        "keys": (Round("keys", settings.key_poll_seconds, follower.follow),),
        "catalogs": (Round("stores", settings.catalog_poll_seconds, loader.follow_stores),),
        "shelves": (Round("shelves", settings.shelf_poll_seconds, loader.follow_shelves),),
        "feedback": (*feedback.rounds(), *outreach.rounds()),
        "identity": tuple(_identity_rounds(sources)),
    }
    watchers = tuple(
        Watcher(rounds, log, metrics, name=name) for name, rounds in threads.items() if rounds
    )
    serves = ServeLog(stores.cache, metrics)
    services = Services(settings, log, metrics, stores, watchers, follower, slot, loader, serves)
    desk = Desk(
        slot=slot,
        states=stores.cardholders,
        recommender=recommender,
        serves=serves,
        clock=clock,
        metrics=metrics,
        withheld=outreach.book.withheld,
    )
    problems.install(app, log)
    probes = ProbeWatch(log, metrics, time.monotonic)
    teller = Teller(log, metrics, settings.access_log)
    lifecycle.install(app, teller, probes)
    app.register_blueprint(health_blueprint(services.unready_reasons, metrics))
    rates = RateLimits.of(settings, time.monotonic)
    gate = AuditedGate((keys, TokenCredentials(sources, clock)), rates)
    auditing.install(app, AuditLog(stores.writes, stores.deny_list, clock), log, metrics)
    routes = (
        *_routes(services, shelf, desk, gate, clock),
        *feedback.routes(gate, shelf),
        *outreach_routes(gate, outreach, stores),
    )
    budgets = Budgets(stores.deadline, settings.request_budget_ms / 1000)
    for one in routes:
        one.serve_on(app, budgets)
    express = Express(
        (stop for one in routes for stop in one.stops(budgets)),
        gate=gate,
        deadline=stores.deadline,
        teller=teller,
        knows_host=app.knows_host,
        is_away=lambda: stores.cardholders.is_away,
        patience_seconds=WAITS * settings.store_timeout_ms / 1000,
    )
    app.register_blueprint(docs_blueprint(routes))
    app.extensions |= {EXTENSION: services, EXPRESS: express}
    return app


def _recommender(settings: Settings) -> Recommender:
    key = hashlib.blake2b(settings.secret_bytes, digest_size=32, person=b"recsvc-serves").digest()
    return Recommender(key, read_rankings(settings.rankings), ZoneInfo(settings.timezone))


def _bare_app(settings: Settings) -> Application:
    app = Application("recsvc", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=settings.body_limit_bytes,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
    )
    return app


def _routes(
    services: Services, shelf: Shelves, desk: Desk, gate: Gate, clock: Callable[[], datetime]
) -> tuple[Routes, ...]:
    settings, stores = services.settings, services.stores
    limit, bulk = settings.body_limit_bytes, settings.bulk_body_limit_bytes
    cursors = Cursors(settings.secret_bytes)
    return (
        recommendation_routes(gate, desk, limit),
        item_routes(gate, desk, limit),
        cardholder_routes(gate, stores.cardholders, clock, limit),
        catalog_routes(gate, stores.catalog, cursors, limit, bulk),
        model_routes(
            gate,
            shelves=shelf,
            slot=services.slot,
            cursors=cursors,
            log=services.log,
            body_limit_bytes=limit,
        ),
    )


def _key_sources(settings: Settings, log: Log, metrics: Metrics) -> tuple[KeySource, ...]:
    providers = read_providers(settings.identity_providers)
    return tuple(KeySource(one, time.monotonic, log, metrics) for one in providers)


def _identity_rounds(sources: Sequence[KeySource]) -> Iterator[Round]:
    """One round a provider; each knows by itself when it is time to read the keys."""
    for number, source in enumerate(sources):
        yield Round(f"identity_{number}", IDENTITY_SECONDS, source.look)
