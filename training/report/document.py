"""The report as one JSON document; the page is drawn from it and from nothing else."""

from typing import Any

from training.evaluation.judge import Figures
from training.evaluation.trial import Task
from training.report.examples import knowledge_of
from training.report.material import Material
from training.split.contest import PRODUCT, Contest
from training.split.cut import iso_date

LEAD = ("mean", "low", "high")


def document_of(material: Material) -> dict[str, Any]:
    """Everything the report says."""
    starts_at, ends_at = material.found.window
    split = material.split
    return {
        "issuer_id": material.issuer_id,
        "created_at": material.created_at.isoformat(),
        "window": {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        "counts": _counts(material),
        "settings": material.settings.as_document(),
        "seed": material.seed,
        "split": {
            "at": iso_date(split.day),
            "cardholders": split.cardholders,
            "is_sample": split.cardholders < len(material.found.cardholders),
            "merchants": split.merchants,
            "unreachable_pairs": split.unreachable,
        },
        "evaluation": _evaluation(material.contest),
        "gate": {
            "passed": not material.reasons,
            "forced": material.forced,
            "reasons": [reason.as_document() for reason in material.reasons],
            "current_is": material.contest.current_is,
        },
        "data": material.data.as_document(),
        "knowledge": None if material.model is None else knowledge_of(material.model),
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


def _evaluation(contest: Contest) -> dict[str, Any]:
    """Figures, leads and curves of each task."""
    return {
        "k": contest.k,
        "judged": contest.judged.value,
        "tasks": {
            task.value: {
                "models": {name: f.as_document() for name, f in models.items()},
                "leads": _leads(contest, task),
                "curves": [point for name, f in models.items() for point in curve_of(name, f)],
                "reliability": reliability_of(models[PRODUCT]),
            }
            for task, models in contest.tasks.items()
        },
    }


def _leads(contest: Contest, task: Task) -> dict[str, dict[str, float]]:
    """Mean and 95 % interval of the product's recall less each rival's, paired by cardholder."""
    return {
        name: {word: round(value, 6) for word, value in zip(LEAD, lead, strict=True)}
        for name, lead in contest.leads[task].items()
    }


def curve_of(name: str, figures: Figures) -> list[dict[str, Any]]:
    """Recall of each list length up to k."""
    return [
        {"model": name, "k": k, "recall": round(recall, 6)}
        for k, recall in enumerate(figures.curve.tolist(), start=1)
    ]


def reliability_of(figures: Figures) -> list[dict[str, float]]:
    """What each bin of the score promised and what came of it."""
    found = figures.reliability
    return [
        {"promised": round(float(p), 6), "kept": round(float(k), 6), "shown": int(n)}
        for p, k, n in zip(found.promised, found.kept, found.shown, strict=True)
    ]
