"""Small models and bundles with a known answer, made by the product's own code.

The checkerboard world: even cardholders buy at even merchants, odd ones at odd merchants.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle, canary_of, factor_hash, seal, write_model
from embeddings.catalog import Catalog, parse_item
from embeddings.compose import Composition
from embeddings.factors import Factors, HalfStep, gram_of
from embeddings.interactions import EventWeights
from embeddings.manifest import FORMAT, Manifest
from embeddings.model import History, Labels, Model
from embeddings.shelf import Shelf
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id

KEY = b"\x01" * 16
CREATED_AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
AS_OF_DAY = 20_484  # 2026-01-31


def an_offer(item_id: str = "offer_1", **changes: Any) -> dict[str, Any]:
    """JSON of a valid merchant offer; None removes a field."""
    document = {
        "item_id": item_id,
        "kind": "merchant_offer",
        "title": {"zh-CN": "满100减20", "en": "20 off 100"},
        "category": "dining",
        "merchant_id": "m_0",
        "mcc": "5812",
        "reward": {
            "type": "spend_and_get",
            "min_spend": {"amount_minor": 10000, "currency": "CNY"},
            "value": {"amount_minor": 2000, "currency": "CNY"},
        },
    }
    return {k: v for k, v in {**document, **changes}.items() if v is not None}


def a_benefit(item_id: str = "benefit_1", **changes: Any) -> dict[str, Any]:
    """JSON of a valid benefit; None removes a field."""
    document = {
        "item_id": item_id,
        "kind": "benefit",
        "title": {"zh-CN": "机场贵宾厅", "en": "Airport lounge"},
        "category": "travel",
        "benefit_type": "lounge",
        "mccs": ["4582"],
        "quota": {"count": 6, "period": "year"},
    }
    return {k: v for k, v in {**document, **changes}.items() if v is not None}


def a_catalog(*documents: dict[str, Any]) -> Catalog:
    """Catalogue of these items; unless given, an offer at each checkerboard merchant."""
    given = documents or tuple(
        an_offer(f"offer_{m}", merchant_id=f"m_{m}", mcc="5812" if m % 2 == 0 else "5411")
        for m in range(6)
    )
    return Catalog.of(parse_item(document) for document in given)


def checkerboard(n_cardholders: int = 40, n_merchants: int = 6, n_factors: int = 4) -> Model:
    """Even cardholders visit even merchants, odd ones odd; each misses one of his colour.

    Cardholder ``ch_i`` has never visited merchant ``m_j`` with ``j = i mod n_merchants``; it is
    the answer a model must give him first among merchants he does not know.
    """
    cardholders = Vocabulary.build((f"ch_{i}" for i in range(n_cardholders)), KEY)
    names = [column_id(ColumnKind.MERCHANT, f"m_{j}") for j in range(n_merchants)]
    categories = [column_id(ColumnKind.CATEGORY, mcc) for mcc in ("5812", "5411")]
    columns = Vocabulary.build([*names, *categories], KEY)
    row = {name: columns.row(name) or 0 for name in [*names, *categories]}
    cells = np.zeros((n_cardholders, len(columns)), np.float32)
    for holder in range(n_cardholders):
        number = int(cardholders.id(holder).removeprefix("ch_"))
        for j in range(number % 2, n_merchants, 2):
            if j != number % n_merchants:
                cells[holder, row[names[j]]] = 2.0
        cells[holder, row[categories[number % 2]]] = 3.0
    space = np.zeros((len(columns), n_factors), np.float32)
    for colour in (0, 1):
        for j in range(colour, n_merchants, 2):
            space[row[names[j]], colour] = 1.0
        space[row[categories[colour]], colour] = 1.5
    step = HalfStep(alpha=4.0, regularisation=0.1)
    return _model_of(cells, space, step, cardholders, columns, [row[c] for c in categories])


def _model_of(
    cells: NDArray[np.float32],
    space: NDArray[np.float32],
    step: HalfStep,
    cardholders: Vocabulary,
    columns: Vocabulary,
    categories: list[int],
) -> Model:
    rows = [np.flatnonzero(line).astype(np.int32) for line in cells]
    strength = [line[r] for line, r in zip(cells, rows, strict=True)]
    blank = Factors(
        np.zeros((len(cells), space.shape[1]), np.float32),
        space,
        np.ones(len(space), np.float32),
        step,
        gram_of(space),
    )
    vectors = np.stack([blank.fold_in(r, s) for r, s in zip(rows, strength, strict=True)])
    factors = Factors(vectors, space, blank.column_scale, step, blank.gram)
    flat = np.concatenate(rows)
    parent = np.full(len(columns), -1, np.int32)
    for r, name in enumerate(columns):
        if name.startswith("merchant:"):
            parent[r] = categories[int(name.removeprefix("merchant:m_")) % 2]
    share = (cells > 0).mean(axis=0, dtype=np.float32)
    history = History(
        np.r_[0, np.cumsum([r.size for r in rows])].astype(np.int64),
        flat,
        np.concatenate(strength),
        np.full(flat.size, 2, np.int32),
        np.full(flat.size, AS_OF_DAY - 3, np.int32),
    )
    return Model(
        cardholders,
        columns,
        factors,
        history,
        parent,
        (cells > 0).sum(axis=0).astype(np.int32),
        Labels.of([name.split(":")[1] for name in columns]),
        ("all",),
        share[None].astype(np.float32),
        a_catalog(),
    )


def unsealed(model: Model, sequence: int = 1, **changes: Any) -> dict[str, Any]:
    """A manifest's document before its files are known."""
    digest = factor_hash(model.factors)
    created_at = changes.pop("created_at", CREATED_AT)
    return {
        "format": FORMAT,
        "version": f"{created_at:%Y%m%dT%H%M%SZ}-{sequence:06d}-{digest[:8]}",
        "sequence": sequence,
        "issuer_id": "demo",
        "created_at": created_at,
        "code_version": "test",
        "window": {"starts_at": "2025-01-01T00:00:00Z", "ends_at": "2026-01-31T00:00:00Z"},
        "as_of_day": AS_OF_DAY,
        "counts": {
            "cardholders": len(model.cardholders),
            "columns": len(model.columns),
            "factors": model.factors.n_factors,
            "cells": int(model.history.rows.size),
            "transactions": 1000,
            "segments": len(model.segments),
            "items": len(model.catalog),
        },
        "segments": model.segments,
        "id_hash_key": model.columns.key.hex(),
        "event_weights": EventWeights().as_document(),
        "half_step": model.factors.step.as_document(),
        "composition": Composition().as_document(),
        "parameters": {},
        "figures": {},
        "factor_hash": digest,
        "data_fingerprint": hashlib.sha256(b"data").hexdigest(),
        "canaries": [canary_of(model.factors, row) for row in (0, len(model.cardholders) - 1)],
        **changes,
    }


def written(folder: Path, model: Model, spoil: Callable[[Path], object] = lambda _: None) -> Path:
    """A sealed bundle in a folder, off any shelf; its files may be spoiled before the seal."""
    document = unsealed(model)
    place = folder / str(document["version"])
    place.mkdir()
    write_model(place, model)
    spoil(place)
    seal(place, document)
    return place


def publish(shelf: Shelf, model: Model | None = None, **changes: Any) -> Bundle:
    """Publish a model (the checkerboard unless given) and return the opened bundle."""
    model = model or checkerboard()

    def write(folder: Path, sequence: int) -> Manifest:
        write_model(folder, model)
        return seal(folder, unsealed(model, sequence, issuer_id=shelf.issuer_id, **changes))

    return shelf.publish(write)
