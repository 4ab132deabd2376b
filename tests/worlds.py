"""Serving models, cardholders and questions with a known right answer, in memory.

Built on the checkerboard of `tests.bundles`: ``ch_2`` buys at the even merchants (m_0, m_4; never
at m_2), which are restaurants (5812); ``ch_3`` at the odd ones, which are grocers (5411).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.bundle import Bundle
from embeddings.catalog import Catalog
from embeddings.interactions import EventType, TransactionStatus
from embeddings.manifest import Manifest
from embeddings.model import Labels, Model
from recsvc.domain.cardholder import (
    CardholderState,
    Consent,
    Contact,
    HeldProduct,
    Profile,
)
from recsvc.domain.experiment import Rankings
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.question import Question
from recsvc.domain.recommender import Recommender
from tests.bundles import a_catalog, checkerboard, unsealed

KEY = b"a key of tests, not a secret one"
NOW = datetime(2026, 2, 4, 4, 0, tzinfo=UTC)
"""A Wednesday, at noon in Shanghai; four days after the checkerboard's usage ends."""

GOLD = HeldProduct("travel", "gold")
CLASSIC = HeldProduct("everyday", "classic")


def bundle_of(model: Model | None = None, **changes: Any) -> Bundle:
    """Opened bundle of a model (the checkerboard unless given), without a disk."""
    model = model or checkerboard()
    manifest = Manifest.model_validate({**unsealed(model, **changes), "files": {}})
    return Bundle(Path(manifest.version), manifest, model)


def with_segments(model: Model, shares: dict[str, dict[str, float]]) -> Model:
    """The model with further popularity rows: segment name to column id to share."""
    table = [*model.popularity]
    for share_of in shares.values():
        line = np.zeros(len(model.columns), np.float32)
        for column, share in share_of.items():
            line[model.columns.row(column) or 0] = share
        table.append(line)
    return replace(model, segments=(*model.segments, *shares), popularity=np.stack(table))


def with_labels(model: Model, names: dict[str, str]) -> Model:
    """The model with names for some columns; the others keep theirs."""
    labels = [names.get(model.columns.id(r), model.labels[r]) for r in range(len(model.columns))]
    return replace(model, labels=Labels.of(labels))


def a_model(
    *documents: dict[str, Any], bundle: Bundle | None = None, **changes: Any
) -> ServingModel:
    """Serving model of these items (an offer at each merchant unless given)."""
    catalog = a_catalog(*documents)
    return ServingModel.build("demo", bundle or bundle_of(), catalog, "7", **changes)


def an_untrained_model(*documents: dict[str, Any]) -> ServingModel:
    """Serving model of an issuer that has a catalogue and no bundle yet."""
    catalog = a_catalog(*documents) if documents else Catalog.of(())
    return ServingModel.build("demo", None, catalog, "1")


def a_cardholder(cardholder_id: str = "ch_2", **changes: Any) -> CardholderState:
    """State of a known cardholder who agreed to personalisation."""
    given = {"consent": Consent(personalisation=True), "known": True, **changes}
    return CardholderState(cardholder_id, **given)


def an_opted_out(cardholder_id: str = "ch_2", **changes: Any) -> CardholderState:
    """State of a known cardholder who never agreed."""
    return CardholderState(cardholder_id, **{"known": True, **changes})


def held(*cards: HeldProduct, city: str | None = None, segments: Iterable[str] = ()) -> Profile:
    """Profile with these cards."""
    return Profile(cards, city, tuple(segments))


def a_purchase(merchant_id: str, mcc: str | None = None, **changes: Any) -> Contact:
    """Settled purchase an hour before NOW."""
    return Contact(
        **{
            "event_type": EventType.TRANSACTION,
            "occurred_at": NOW - timedelta(hours=1),
            "merchant_id": merchant_id,
            "mcc": mcc,
            "transaction_id": f"t_{merchant_id}",
            "status": TransactionStatus.SETTLED,
            **changes,
        }
    )


def a_question(cardholder_id: str = "ch_2", **changes: Any) -> Question:
    """Question of ten items in English."""
    given = {"request_id": "req_1", "cardholder_id": cardholder_id, "locale": "en", **changes}
    return Question(**given)


def a_recommender(**policy: Any) -> Recommender:
    """Recommender with one ranking of these parameters."""
    return Recommender(KEY, Rankings(RankingPolicy(**policy)))
