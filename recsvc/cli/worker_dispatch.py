"""``recsvc worker dispatch``."""

import os
import random
import socket
import threading
from datetime import UTC, datetime, timedelta

import click
import orjson

from embeddings.signature import read_public_key
from recsvc.cli.stopping import Seconds, repeat, stop_by_signal
from recsvc.domain.campaign.campaign import State
from recsvc.domain.errors import StoreAwayError
from recsvc.domain.model import ModelSlot
from recsvc.logs import Log, open_log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.reviewing import KEPT_FOR
from recsvc.outreach.webhook_client import WebhookClient
from recsvc.settings import Settings, read_settings
from recsvc.stores.assembly import Stores, open_stores
from recsvc.upkeep.loading import Loader
from recsvc.upkeep.shelves import Shelves
from recsvc.workers.deliverer import Deliverer
from recsvc.workers.dispatcher import Dispatcher

FOLLOW_EVERY = timedelta(seconds=1)
TURN_PAUSE_SECONDS = 0.05
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("dispatch")
@click.option("--once", is_flag=True, help="send what may leave now and end")
@click.option(
    "--every",
    type=Seconds(0.01),
    default=1.0,
    help="seconds between two looks when there is nothing to do",
)
@click.option(
    "--idle-seconds",
    type=Seconds(0),
    default=60.0,
    help="after which a dead dispatcher's work is taken",
)
def command(*, once: bool, every: float, idle_seconds: float) -> None:
    """Draw up audiences, let pushes leave, deliver them to webhooks, review campaigns.

    Any number may run; each push leaves once, whichever is killed when.
    """
    settings = read_settings()
    log = open_log(settings.log_level)
    metrics = Metrics()
    stores = open_stores(settings, log, metrics)
    program = _Program(settings, stores, log, metrics, idle_seconds)
    try:
        with stop_by_signal() as stop:
            done = program.run(stop, every, once=once)
    finally:
        program.close()
        stores.close()
    if once:
        click.echo(orjson.dumps(done))


class _Program:
    """All issuers, look after look."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        log: Log,
        metrics: Metrics,
        idle_seconds: float,
    ) -> None:
        slot = ModelSlot()
        keys = [read_public_key(path) for path in settings.trusted_keys]
        self._loader = Loader(
            stores=stores,
            shelves=Shelves(settings.shelf, keys),
            slot=slot,
            log=log,
            metrics=metrics,
        )
        self._slot = slot
        self._log = log
        self._own = Outreach.of(settings, stores, slot, _now)
        name = f"{socket.gethostname()}-{os.getpid()}"
        self._dispatcher = Dispatcher(
            self._own, name, stores.cardholders, metrics, idle_seconds=idle_seconds
        )
        self._deliverer = Deliverer(
            self._own.webhooks,
            WebhookClient(hosts=settings.webhook_hosts),
            clock=_now,
            log=log,
            metrics=metrics,
            chance=random.Random(),  # noqa: S311 - jitter is no secret
        )
        self._followed = self._reviewed = LONG_AGO

    def run(self, stop: threading.Event, every: float, *, once: bool) -> dict[str, int]:
        """Look until stopped; a store that is away is asked again at the next look."""
        sums = {"queued_parts": 0, "sent": 0, "refused": 0, "held": 0}
        repeat(lambda: self._look(sums, stop), stop, every, once=once, waits=self._waiting)
        return sums

    def _waiting(self, away: StoreAwayError) -> None:
        self._log.warning("dispatch_waits", store=away.store, reason=away.reason)

    def _look(self, sums: dict[str, int], stop: threading.Event) -> bool:
        """One look at every issuer; whether there was nothing to do."""
        self._follow()
        idle = True
        for issuer_id in self._slot.issuers():
            done = self._dispatcher.look(issuer_id)
            self._deliverer.look(issuer_id)
            idle &= done.is_idle
            if done.waits:
                stop.wait(TURN_PAUSE_SECONDS)
            for name in sums:
                sums[name] += getattr(done, name)
        if _now() - self._reviewed >= KEPT_FOR:
            self._review()
            self._reviewed = _now()
        return idle

    def _follow(self) -> None:
        """Bring in new catalogues and models, at most once a second."""
        if _now() - self._followed >= FOLLOW_EVERY:
            self._loader.follow_stores()
            self._loader.follow_shelves()
            self._followed = _now()

    def _review(self) -> None:
        """Work out the results of campaigns that run, and of those that ended lately."""
        for issuer_id in self._slot.issuers():
            self._own.pushes.trim(issuer_id, _now())
            for campaign in self._own.campaigns.all(issuer_id):
                recent = campaign.ends_at + timedelta(days=31) > _now()
                if recent and campaign.state in (State.LIVE, State.PAUSED, State.ENDED):
                    self._own.reviewer.refresh(issuer_id, campaign)

    def close(self) -> None:
        """Wait for deliveries that are under way."""
        self._deliverer.close()


def _now() -> datetime:
    return datetime.now(UTC)
