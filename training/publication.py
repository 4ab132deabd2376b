"""A fitted model becomes a bundle on the shelf, whole or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embeddings.bundle import Bundle, canary_of, factor_hash, seal, write_model
from embeddings.compose import Composition
from embeddings.errors import EmbeddingsError
from embeddings.interactions import EventWeights
from embeddings.manifest import FORMAT, Manifest
from embeddings.model import Model
from embeddings.shelf import Shelf
from training.errors import TrainingError
from training.memory import let_go

N_CANARIES = 5
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What a manifest says of a model, beside the numbers themselves.

    Parameters
    ----------
    created_at : datetime
        Aware; part of the version.
    window : tuple of datetime
        ``[starts_at, ends_at)`` of the usage.
    as_of_day : int
        Days since 1970-01-01 UTC from which ages are counted.
    transactions : int
    events : EventWeights
    composition : Composition
    parameters, figures : dict
        JSON values for people and for the next run's gate.
    data_fingerprint : str
        sha256 of the input.
    events_through : str or None
        Last response the model knows.
    interests_deleted_through : datetime or None
        Aware; of every interest that was deleted until then nothing from before is in the model.
    """

    created_at: datetime
    window: tuple[datetime, datetime]
    as_of_day: int
    transactions: int
    events: EventWeights
    composition: Composition
    parameters: dict[str, Any]
    figures: dict[str, Any]
    data_fingerprint: str
    events_through: str | None
    interests_deleted_through: datetime | None


def publish(
    shelf: Shelf,
    model: Model,
    imprint: Imprint,
    write_report: Callable[[Path], None],
    signing_key: Ed25519PrivateKey | None,
) -> Bundle:
    """Write, seal, sign, verify and promote; the shelf is as before when anything fails.

    Parameters
    ----------
    shelf : Shelf
    model : Model
    imprint : Imprint
    write_report : callable
        Writes its files into the draft's folder, while another thread writes the model's.
    signing_key : Ed25519PrivateKey or None

    Raises
    ------
    TrainingError
        Another trainer holds the shelf, or the bundle does not answer as the model in memory does.
    OSError
        The disk refused.
    """

    def write(folder: Path, sequence: int) -> Manifest:
        with ThreadPoolExecutor(1) as drawing:
            reported = drawing.submit(write_report, folder)
            write_model(folder, model, written=let_go)
            reported.result()
        return seal(folder, _document(shelf.issuer_id, model, imprint, sequence))

    def check(bundle: Bundle) -> None:
        _require_same_answers(bundle, model)

    try:
        return shelf.publish(write, check=check, signing_key=signing_key)
    except EmbeddingsError as error:
        raise TrainingError(f"not published: {error}") from error


def _document(issuer_id: str, model: Model, imprint: Imprint, sequence: int) -> dict[str, Any]:
    """Everything of the manifest but its files."""
    digest = factor_hash(model.factors)
    return {
        "format": FORMAT,
        "version": f"{imprint.created_at:%Y%m%dT%H%M%SZ}-{sequence:06d}-{digest[:8]}",
        "sequence": sequence,
        "issuer_id": issuer_id,
        "created_at": imprint.created_at,
        "code_version": metadata.version("recsvc"),
        "window": dict(zip(("starts_at", "ends_at"), imprint.window, strict=True)),
        "as_of_day": imprint.as_of_day,
        "counts": _counts(model, imprint.transactions),
        "segments": model.segments,
        "id_hash_key": model.columns.key.hex(),
        "event_weights": imprint.events.as_document(),
        "half_step": model.factors.step.as_document(),
        "composition": imprint.composition.as_document(),
        "parameters": imprint.parameters,
        "figures": imprint.figures,
        "factor_hash": digest,
        "data_fingerprint": imprint.data_fingerprint,
        "canaries": [canary_of(model.factors, row) for row in sample_rows(model)],
        "events_through": imprint.events_through,
        "interests_deleted_through": imprint.interests_deleted_through,
    }


def _counts(model: Model, transactions: int) -> dict[str, int]:
    return {
        "cardholders": len(model.cardholders),
        "columns": len(model.columns),
        "factors": model.factors.n_factors,
        "cells": int(model.history.rows.size),
        "transactions": transactions,
        "segments": len(model.segments),
        "items": len(model.catalog),
    }


def sample_rows(model: Model) -> list[int]:
    """A few cardholder rows, spread evenly."""
    return sorted({int(r) for r in np.linspace(0, len(model.cardholders) - 1, N_CANARIES)})


def _require_same_answers(bundle: Bundle, model: Model) -> None:
    """Hold the opened bundle to the model in memory, and its vectors to its own histories."""
    history, factors = bundle.model.history, bundle.model.factors
    for row in sample_rows(model):
        cells = history.cells(row)
        folded = factors.fold_in(history.rows[cells], history.strength[cells])
        for name, other in (("stored", factors.cardholders[row]), ("folded", folded)):
            if not np.allclose(other, model.factors.cardholders[row], atol=TOLERANCE, rtol=1e-3):
                raise TrainingError(
                    f"not published: the {name} vector of row {row} is not the trained one"
                )
