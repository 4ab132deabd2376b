"""Where a question meets the model, the cardholder's state and the time; views ask here once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from recsvc.domain.cardholder import CardholderState
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.errors import StoreAwayError
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.domain.question import Answer, Question, Ranking
from recsvc.domain.rankings import rank_items, refusals_of
from recsvc.domain.recommender import Recommender
from recsvc.domain.similar import SimilarItem, similar_items
from recsvc.metrics import Metrics


class ServeRecorder(Protocol):
    """Where served lists are remembered for attribution."""

    def record(self, answer: Answer) -> None:
        """Remember a list; never waits and never fails."""


class Desk:
    """Answers the questions of an issuer's app.

    Parameters
    ----------
    slot : the models that serve
    states : what is known of cardholders
    recommender : decides
    serves : remembers what was served
    clock : aware now
    metrics : where what lacked is counted
    withheld : items that campaigns leave a cardholder out of, by issuer and cardholder
    """

    def __init__(  # noqa: PLR0913 - handed in by the assembly, by name
        self,
        *,
        slot: ModelSlot,
        states: CardholderStates,
        recommender: Recommender,
        serves: ServeRecorder,
        clock: Callable[[], datetime],
        metrics: Metrics,
        withheld: Callable[[str, str], frozenset[str]] = lambda *_: frozenset(),
    ) -> None:
        self._withheld = withheld
        self._slot = slot
        self._states = states
        self._recommender = recommender
        self._serves = serves
        self._clock = clock
        self._metrics = metrics

    def recommend(self, issuer_id: str, question: Question) -> Answer:
        """One list; NothingToServeError without a catalogue."""
        return self.recommend_many(issuer_id, (question,))[0]

    def recommend_many(self, issuer_id: str, questions: Sequence[Question]) -> list[Answer]:
        """Lists in the order asked, all by one model, one round trip to the store for all."""
        answers = []
        for answer in self.recommend_each(issuer_id, questions):
            if isinstance(answer, Exception):
                raise answer
            answers.append(answer)
        return answers

    def recommend_each(
        self, issuer_id: str, questions: Sequence[Question]
    ) -> Iterator[Answer | Exception]:
        """The same, each list as it is made; one may fail alone, and its exception stands for it.

        All as of one moment: that of the first.
        """
        model = self.model(issuer_id)
        states = self._many_states(issuer_id, [one.cardholder_id for one in questions])
        now = self._clock()
        for state, question in zip(states, questions, strict=True):
            try:
                yield self._answer(model, state, question, now)
            except Exception as error:  # noqa: BLE001 - told to who asked
                yield error

    def _answer(
        self, model: ServingModel, state: CardholderState, question: Question, now: datetime
    ) -> Answer:
        asked = self._without_holdout(model, state, question)
        answer = self._recommender.answer(model, state, asked, now)
        for lacking in answer.degraded:
            self._metrics.degraded(lacking)
        if not (state.erased or state.lacking):  # of whom nothing may be kept, or may not be
            self._serves.record(answer)
        return answer

    def _without_holdout(
        self, model: ServingModel, state: CardholderState, question: Question
    ) -> Question:
        """The question, less the items of campaigns whose holdout the cardholder is in.

        Those who are not personalised are in no campaign, so their lists stay alike.
        """
        if not state.may_personalise:
            return question
        held = self._withheld(model.issuer_id, state.cardholder_id)
        return replace(question, exclude=question.exclude | held) if held else question

    def rank(self, issuer_id: str, question: Question, item_ids: Sequence[str]) -> Ranking:
        """Given items in order for a cardholder, and why the others are not for him."""
        model = self.model(issuer_id)
        state = self._state(issuer_id, question.cardholder_id)
        asked = self._without_holdout(model, state, question)
        ranking = rank_items(self._recommender, model, state, asked, item_ids, self._clock())
        for refused in ranking.refused:
            for refusal in refused.refusals:
                self._metrics.refused(refusal.value)
        return ranking

    def refusals(self, issuer_id: str, question: Question, item_id: str) -> tuple[Refusal, ...]:
        """Every reason why a cardholder may not have an item now; none when he may.

        Raises
        ------
        StoreAwayError
            here nothing can be said without knowing the cardholder
        """
        model = self.model(issuer_id)
        state = self._states.state_of(issuer_id, question.cardholder_id)
        return refusals_of(self._recommender, model, state, item_id, question, self._clock())

    def similar(self, issuer_id: str, item_id: str, limit: int) -> tuple[SimilarItem, ...]:
        """Items like an item; NotFoundError when the catalogue has none of this id."""
        return similar_items(self.model(issuer_id), item_id, limit, self._clock())

    def model(self, issuer_id: str) -> ServingModel:
        """The model that serves an issuer, to be kept to the end of the request."""
        return self._slot.serving(issuer_id)

    def _state(self, issuer_id: str, cardholder_id: str) -> CardholderState:
        try:
            return self._states.state_of(issuer_id, cardholder_id)
        except StoreAwayError as away:
            return CardholderState.away(cardholder_id, away.store)

    def _many_states(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> tuple[CardholderState, ...]:
        try:
            return self._states.states_of(issuer_id, cardholder_ids)
        except StoreAwayError as away:
            return tuple(CardholderState.away(one, away.store) for one in cardholder_ids)
