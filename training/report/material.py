"""What a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from embeddings.model import Model
from training.config import Settings
from training.contest import Contest
from training.gate import DataFacts, Reason
from training.matrix import Survey
from training.split import SplitFacts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """Everything a run knows when it writes its report.

    Parameters
    ----------
    issuer_id : str
    created_at : datetime
    settings : Settings
    seed : int
    found : Survey
    split : SplitFacts
    contest : Contest
    data : DataFacts
    unknown_items : int
        Responses left out because the catalogue does not know their item.
    warnings : tuple of str
        What may be wrong with the input and refuses nothing; one sentence each.
    reasons : tuple of Reason
        What the gate says against the model.
    forced : bool
        Whether it is published in spite of them.
    foreseen : mapping
        Figures of the scores of cardholders (:mod:`training.propensity`); empty without scores.
    model : Model or None
        None for a run refused before the whole window was fitted.
    stages : list
        Name, seconds and peak memory of the stages that are over.
    """

    issuer_id: str
    created_at: datetime
    settings: Settings
    seed: int
    found: Survey
    split: SplitFacts
    contest: Contest
    data: DataFacts
    unknown_items: int
    warnings: tuple[str, ...]
    reasons: tuple[Reason, ...]
    forced: bool
    foreseen: Mapping[str, Any]
    model: Model | None
    stages: list[dict[str, Any]]
