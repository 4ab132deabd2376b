"""What a run tells of itself: to the bundle's manifest, and to its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from embeddings.model import Model
from training.gate import Reason
from training.pipeline.evidence import Evidence
from training.pipeline.facts import warnings_of
from training.pipeline.request import Request
from training.publication import Imprint
from training.report import Material
from training.split import iso_date


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Account:
    """One run, to be told.

    Parameters
    ----------
    request : Request
    now : datetime
    evidence : Evidence
    reasons : tuple of Reason
        What the gate says against the model.
    foreseen : mapping
        Figures of the scores of cardholders; empty without scores.
    """

    request: Request
    now: datetime
    evidence: Evidence
    reasons: tuple[Reason, ...]
    foreseen: Mapping[str, object]

    @property
    def is_forced(self) -> bool:
        """Whether the model is published in spite of the gate."""
        return bool(self.reasons) and self.request.force

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may be wrong with the input and refuses nothing."""
        return warnings_of(self.evidence.inputs)

    def imprint(self, deleted_through: datetime | None) -> Imprint:
        """What the manifest says.

        Parameters
        ----------
        deleted_through : datetime or None
            Until when every deleted interest was known of.
        """
        found, settings = self.evidence.found, self.request.settings
        return Imprint(
            created_at=self.now,
            window=found.window,
            as_of_day=found.last_day,
            transactions=found.transactions,
            events=settings.model.events,
            composition=settings.composition,
            parameters={**settings.model.as_document(), "seed": self.request.seed},
            figures=self._figures(),
            data_fingerprint=self.evidence.inputs.fingerprint,
            events_through=self.evidence.inputs.events_through,
            interests_deleted_through=deleted_through,
        )

    def _figures(self) -> dict[str, Any]:
        """How the model was judged."""
        evidence = self.evidence
        return {
            "k": evidence.contest.k,
            "split_at": iso_date(evidence.split.day),
            "evaluation": evidence.contest.summary(),
            "data": evidence.data.as_document(),
            "propensity": dict(self.foreseen),
            "gate": {
                "forced": self.is_forced,
                "reasons": [reason.as_document() for reason in self.reasons],
            },
        }

    def material(self, model: Model | None, stages: list[dict[str, Any]]) -> Material:
        """What the report is made of; without a model for a run that was refused before the fit."""
        evidence = self.evidence
        return Material(
            issuer_id=self.request.issuer_id,
            created_at=self.now,
            settings=self.request.settings,
            seed=self.request.seed,
            found=evidence.found,
            split=evidence.split,
            contest=evidence.contest,
            data=evidence.data,
            unknown_items=evidence.inputs.unknown_items,
            warnings=self.warnings,
            reasons=self.reasons,
            forced=self.is_forced,
            foreseen=self.foreseen,
            model=model,
            stages=stages,
        )
