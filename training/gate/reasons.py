"""Reasons against a publication."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """One word for each reason; part of the report and of the manifest."""

    TOO_FEW_INTERACTIONS = "too_few_interactions"
    TOO_FEW_CARDHOLDERS = "too_few_cardholders"
    CARDHOLDER_DOMINATES = "cardholder_dominates"
    MERCHANT_DOMINATES = "merchant_dominates"
    VOLUME_DRIFTED = "volume_drifted"
    CATEGORIES_DRIFTED = "categories_drifted"
    FEWER_IDS = "fewer_ids"
    WORSE_THAN_POPULAR = "worse_than_popular"
    WORSE_THAN_CURRENT = "worse_than_current"
    FELL_SINCE_LAST = "fell_since_last"
    LOW_COVERAGE = "low_coverage"
    NOTHING_TO_JUDGE = "nothing_to_judge"
    NOT_FINITE = "not_finite"
    ZERO_VECTORS = "zero_vectors"
    DIMENSION_CHANGED = "dimension_changed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against a publication.

    Parameters
    ----------
    code : Code
    sentence : str
        Says what was found, what was expected and what to do.
    """

    code: Code
    sentence: str

    def as_document(self) -> dict[str, str]:
        """JSON form."""
        return {"code": self.code.value, "sentence": self.sentence}
