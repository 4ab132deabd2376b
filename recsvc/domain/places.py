"""From candidates to the places of a list: rank, activation, reasons, token."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from recsvc.domain.cardholder import Activation, CardholderState, ItemUse
from recsvc.domain.eligibility.judge import OPEN
from recsvc.domain.model import ServingModel
from recsvc.domain.question import Candidate, Question, ServedItem
from recsvc.domain.reasons import ReasonFinder
from recsvc.domain.serve_token import Tokens

MILLION = 1_000_000
"""Scores are shown to six decimals."""


@dataclass(frozen=True, slots=True)
class Places:
    """What all places of one list share.

    Parameters
    ----------
    model : ServingModel
    state : CardholderState
    question : Question
    ranking : str          name of the ranking
    key : bytes            signs the tokens
    served_at : int        seconds since 1970-01-01 UTC
    """

    model: ServingModel
    state: CardholderState
    question: Question
    ranking: str
    key: bytes
    served_at: int

    def of(self, candidates: Sequence[Candidate], finder: ReasonFinder) -> tuple[ServedItem, ...]:
        """The places of a list, in its order."""
        all_items, notes, uses = self.model.catalog.items, self.model.notes, self.state.uses
        items = [all_items[candidate[0]] for candidate in candidates]
        tokens = self._tokens().of_all(
            (item.item_id, rank, source, propensity)
            for rank, (item, (_, _, source, _, propensity)) in enumerate(
                zip(items, candidates, strict=True), 1
            )
        )
        told = zip(candidates, items, tokens, finder.of_all(candidates), strict=True)
        places = []
        for rank, ((row, score, source, _, propensity), item, token, reasons) in enumerate(told, 1):
            stands = notes.of(row).stands
            if uses:
                stands = _standing(uses.get(item.item_id), stands)
            shown = floor(score * MILLION + 0.5) / MILLION
            places.append(
                ServedItem(rank, item, row, shown, source, stands, reasons, token, propensity)
            )
        return tuple(places)

    def _tokens(self) -> Tokens:
        return Tokens(
            self.key,
            self.model.issuer_id,
            self.question.cardholder_id,
            request_id=self.question.request_id,
            model_version=self.model.model_version,
            catalog_version=self.model.catalog_version,
            placement=self.question.placement,
            ranking=self.ranking,
            served_at=self.served_at,
        )


def _standing(use: ItemUse | None, otherwise: Activation) -> Activation:
    """Where a cardholder stands with an item of which he made this use."""
    return use.activation if use is not None and use.activation in OPEN else otherwise
