"""The report as one JSON document; the page is drawn from it and from nothing else."""

from typing import Any

from training.report.examples import examples
from training.report.material import Material
from training.report.sketch import Sketch
from training.split import iso_date


def document_of(material: Material, sketch: Sketch) -> dict[str, Any]:
    """Everything the report says; the sketch is of the same contest and model."""
    starts_at, ends_at = material.found.window
    split = material.split
    return {
        "issuer_id": material.issuer_id,
        "created_at": material.created_at.isoformat(),
        "window": {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        "counts": _counts(material),
        "warnings": list(material.warnings),
        "settings": material.settings.as_document(),
        "seed": material.seed,
        "split": {
            "at": iso_date(split.day),
            "cardholders": split.cardholders,
            "is_sample": split.cardholders < len(material.found.cardholders),
            "merchants": split.merchants,
            "unreachable_pairs": split.unreachable,
        },
        "evaluation": sketch.evaluation,
        "gate": {
            "passed": not material.reasons,
            "forced": material.forced,
            "reasons": [reason.as_document() for reason in material.reasons],
            "current_is": material.contest.current_is,
        },
        "data": material.data.as_document(),
        "knowledge": _knowledge(material, sketch),
        "foreseen": dict(material.foreseen),
        "stages": material.stages,
    }


def _counts(material: Material) -> dict[str, int]:
    found, data = material.found, material.data
    return {
        "transactions": found.transactions,
        "cardholders": data.cardholders,
        "columns": data.columns,
        "cells": 0 if material.model is None else int(material.model.history.rows.size),
        "items": 0 if material.model is None else len(material.model.catalog),
        "responses_with_unknown_item": material.unknown_items,
    }


def _knowledge(material: Material, sketch: Sketch) -> dict[str, Any] | None:
    """Map of merchants, neighbours of the well known, and examples of cardholders."""
    if material.model is None or sketch.surroundings is None:
        return None
    return {**sketch.surroundings, "cardholders": examples(material.model)}
