"""The report as one JSON document; the page is drawn from it and from nothing else."""

from typing import Any

import numpy as np

from training.evaluation import metrics
from training.evaluation.judge import Figures
from training.evaluation.trial import Task
from training.report.examples import knowledge_of
from training.report.material import Material
from training.split.contest import PRODUCT, Contest
from training.split.cut import iso_date


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
            "cardholders": split.trial.n_cardholders,
            "is_sample": split.trial.n_cardholders < len(material.found.cardholders),
            "merchants": split.trial.n_catalogue,
            "unreachable_pairs": split.unreachable,
        },
        "evaluation": _evaluation(material.contest, material.seed),
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


def _evaluation(contest: Contest, seed: int) -> dict[str, Any]:
    """Figures, leads and curves of each task."""
    return {
        "k": contest.k,
        "judged": contest.judged.value,
        "tasks": {
            task.value: {
                "models": {name: f.as_document() for name, f in models.items()},
                "leads": _leads(contest, task, seed),
                "curves": [point for name, f in models.items() for point in curve_of(name, f)],
                "reliability": reliability_of(models[PRODUCT]),
            }
            for task, models in contest.tasks.items()
        },
    }


def _leads(contest: Contest, task: Task, seed: int) -> dict[str, dict[str, float]]:
    """Mean and 95 % interval of the product's recall less each rival's, paired by cardholder."""
    leads = {}
    for name in contest.tasks[task]:
        lead = contest.lead(name, task, seed)
        if name != PRODUCT and lead is not None:
            named = zip(("mean", "low", "high"), lead, strict=True)
            leads[name] = {word: round(value, 6) for word, value in named}
    return leads


def curve_of(name: str, figures: Figures) -> list[dict[str, Any]]:
    """Recall of each list length up to k."""
    lists = figures.lists
    if not lists.rows.size:
        return []
    hits = np.cumsum(lists.hits, axis=1)
    lengths = np.arange(1, lists.k + 1)
    most = np.minimum(lists.n_targets[:, None], lengths)
    recall = (hits / most).mean(axis=0)
    return [
        {"model": name, "k": int(k), "recall": round(float(r), 6)}
        for k, r in zip(lengths, recall, strict=True)
    ]


def reliability_of(figures: Figures) -> list[dict[str, float]]:
    """What each bin of the score promised and what came of it."""
    found = metrics.reliability(figures.lists)
    return [
        {"promised": round(float(p), 6), "kept": round(float(k), 6), "shown": int(n)}
        for p, k, n in zip(found.promised, found.kept, found.shown, strict=True)
    ]
