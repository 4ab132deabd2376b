"""From candidates to the places of a list: rank, activation, reasons, token."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsvc.domain.cardholder import Activation, CardholderState
from recsvc.domain.model import ServingModel
from recsvc.domain.question import Candidate, Item, Question, ServedItem
from recsvc.domain.reasons import ReasonFinder
from recsvc.domain.serve_token import Tokens

DECIMALS = 6


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
        items, state, tokens = self.model.catalog.items, self.state, self._tokens()
        places = []
        for rank, (candidate, reasons) in enumerate(
            zip(candidates, finder.of_all(candidates), strict=True), 1
        ):
            row, score, source, _, propensity = candidate
            item = items[row]
            token = tokens.of(item.item_id, rank, source, propensity)
            stands = activation_of(item, state)
            shown = round(score, DECIMALS)
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


def activation_of(item: Item, state: CardholderState) -> Activation:
    """Where a cardholder stands with an item."""
    use = state.uses.get(item.item_id) if state.uses else None
    if use is not None and use.activation in (Activation.ACTIVATED, Activation.REDEEMED):
        return use.activation
    return Activation.AVAILABLE if item.terms.requires_activation else Activation.NOT_REQUIRED
