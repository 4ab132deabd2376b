"""The slow part of a report, which nothing that responses teach goes into."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from embeddings.model import Model
from training.contest import Contest
from training.report.examples import surroundings_of
from training.report.figures import evaluation_of
from training.report.page import drawings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Figures, the map of merchants and all drawings.

    Parameters
    ----------
    evaluation : dict
        JSON form of the contest (:func:`training.report.figures.evaluation_of`).
    surroundings : dict or None
        Map and neighbours of merchants; None without a model.
    drawings : mapping of name to SVG
    """

    evaluation: dict[str, Any]
    surroundings: dict[str, Any] | None
    drawings: Mapping[str, Markup]


def sketch_of(contest: Contest, model: Model | None) -> Sketch:
    """Sketch of a model; its appeal and scores are not looked at, so it need not have them yet."""
    evaluation = evaluation_of(contest)
    surroundings = None if model is None else surroundings_of(model)
    points = [] if surroundings is None else surroundings["map"]
    return Sketch(
        evaluation=evaluation,
        surroundings=surroundings,
        drawings=drawings_of(evaluation, points),
    )
