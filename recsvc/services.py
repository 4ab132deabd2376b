"""What the assembly made and the process around it needs: starting, stopping, readiness."""

import gc
import threading
from dataclasses import dataclass, field

from recsvc.domain.model import ModelSlot
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.events.serves import ServeLog
from recsvc.upkeep.keys import KeyFollower
from recsvc.upkeep.loading import Loader
from recsvc.upkeep.watcher import Watcher

YOUNG = 20_000
"""New objects between two looks for garbage in circles; a batch of events makes that many, and
looking at them after every 700, as Python does by itself, costs a fifth of its time."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one worker.

    `start` belongs after the fork; nothing runs before it.
    """

    settings: Settings
    log: Log
    metrics: Metrics
    stores: Stores
    watchers: tuple[Watcher, ...]
    keys: KeyFollower
    slot: ModelSlot
    loader: Loader
    serves: ServeLog
    draining: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Look at everything once, then keep watching in threads."""
        for watcher in self.watchers:
            watcher.start()
        self.serves.start()
        gc.collect()
        gc.freeze()  # what was loaded so far is never garbage; looking at it again costs a fifth
        gc.set_threshold(YOUNG)

    def unready_reasons(self) -> tuple[str, ...]:
        """Why no requests should come; empty when they may.

        A store that is away is no reason: answers then say what they lack.
        """
        models = [self.slot.current(issuer_id) for issuer_id in self.slot.issuers()]
        reasons = {
            "draining": self.draining.is_set(),
            "no_catalog": not models,
            "no_model": not any(model and model.bundle for model in models),
        }
        return tuple(reason for reason, holds in reasons.items() if holds)

    def stop(self) -> None:
        """End the threads and close the sockets."""
        for watcher in self.watchers:
            watcher.stop()
        self.serves.stop()
        self.stores.close()
