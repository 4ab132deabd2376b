"""What was found of each model, as JSON."""

from typing import Any

from training.contest import PRODUCT, Contest
from training.evaluation.judge import Figures
from training.evaluation.trial import Task

LEAD = ("mean", "low", "high")


def evaluation_of(contest: Contest) -> dict[str, Any]:
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
