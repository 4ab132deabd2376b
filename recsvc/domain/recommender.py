"""One request from question to answer; pure: the model, the state and the time are handed in."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from recsvc.domain.candidates import Sources, proposers
from recsvc.domain.cardholder import CardholderState, Profile
from recsvc.domain.chance import draw
from recsvc.domain.eligibility import ByTerms, Circumstances, Eligible
from recsvc.domain.experiment import Rankings
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import Moment
from recsvc.domain.places import Places
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.question import Answer, Lacking, Question, Shortfall
from recsvc.domain.ranking import Page, explored, ranked
from recsvc.domain.reasons import ReasonFinder
from recsvc.domain.taste import Taste, taste_of

DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
MIN_KEY_BYTES = 16


class Ground(NamedTuple):
    """What is known before items are looked at.

    Parameters
    ----------
    taste : Taste
    personalised : bool           whether the taste is his own
    policy : RankingPolicy
    asked : Circumstances
    by_terms : ByTerms            what the items' terms say of them
    sources : Sources             where candidates come from, the first source first
    """

    taste: Taste
    personalised: bool
    policy: RankingPolicy
    asked: Circumstances
    by_terms: ByTerms
    sources: Sources


@dataclass(frozen=True, slots=True)
class Recommender:
    """Answers questions; holds only what is the same for all of them.

    Parameters
    ----------
    key : bytes
        Signs serve tokens and keys all chance; at least 16 bytes.
    rankings : Rankings
    zone : tzinfo
        The issuer's zone, for weekdays and periods.
    """

    key: bytes
    rankings: Rankings = field(default_factory=lambda: Rankings(RankingPolicy()))
    zone: tzinfo = DEFAULT_ZONE

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.key) < MIN_KEY_BYTES:
            raise ValueError(f"key: {len(self.key)} bytes; give at least {MIN_KEY_BYTES}")

    def answer(
        self, model: ServingModel, state: CardholderState, question: Question, now: datetime
    ) -> Answer:
        """The list for one cardholder, with reasons.

        Parameters
        ----------
        model : ServingModel
            Kept to the end of the request; every version in the answer is its own.
        state : CardholderState
        question : Question
        now : datetime, aware
        """
        taste, personalised, policy, asked, by_terms, sources = self.ground(
            model, state, question, now
        )
        eligible = model.tables.eligible(asked, taste.last_days, by_terms)
        candidates, page = ranked(model, policy, eligible, sources, question.limit)
        if personalised and policy.exploration_bps:
            chance = draw(self.key, "exploration", question.request_id)
            candidates = explored(candidates, page, sources, policy, chance)
        finder = ReasonFinder(model, taste, asked.profile, question.locale)
        places = Places(model, state, question, policy.name, self.key, int(now.timestamp()))
        return Answer(
            request_id=question.request_id,
            issuer_id=model.issuer_id,
            cardholder_id=question.cardholder_id,
            personalised=personalised,
            model_version=model.model_version,
            catalog_version=model.catalog_version,
            ranking=policy.name,
            experiment=self.experiment_of(model) if personalised else None,
            requested=question.limit,
            items=places.of(candidates, finder),
            shortfall_reason=shortfall(question, eligible, page, len(candidates)),
            degraded=degraded(model, state),
        )

    def ground(
        self, model: ServingModel, state: CardholderState, question: Question, now: datetime
    ) -> Ground:
        """What a list is made of, or given items are ordered by; asked as :meth:`answer`."""
        taste = taste_of(model, state)
        personalised = taste.vector is not None
        policy = self.policy_of(model, state, personalised=personalised)
        asked = circumstances(state, question, moment_of(now, self.zone))
        by_terms = model.tables.by_terms(asked)
        sources = proposers(
            model, taste, asked.profile, policy, by_terms=by_terms, strict=question.strict
        )
        return Ground(taste, personalised, policy, asked, by_terms, sources)

    def policy_of(
        self, model: ServingModel, state: CardholderState, *, personalised: bool
    ) -> RankingPolicy:
        """The ranking of a cardholder; always the default one for those not personalised."""
        if not personalised:
            return self.rankings.for_issuer(model.issuer_id).default
        return self.rankings.of(model.issuer_id, state.cardholder_id)

    def experiment_of(self, model: ServingModel) -> str | None:
        """Name of the experiment that the model's issuer runs, if any."""
        return self.rankings.for_issuer(model.issuer_id).experiment_name


@lru_cache(maxsize=16)
def moment_of(now: datetime, zone: tzinfo) -> Moment:
    """The moment of an instant; questions that are answered together share theirs."""
    return Moment.of(now, zone)


def circumstances(state: CardholderState, question: Question, moment: Moment) -> Circumstances:
    """What eligibility judges of a question.

    Segments and purchases count only with consent; what he dismissed, used or activated counts
    always, since that is what he did with the items themselves.
    """
    return Circumstances(
        moment=moment,
        profile=_profile(state, question),
        channel=question.channel,
        sees_segments=state.may_personalise,
        sees_history=state.may_personalise,
        dismissals=state.dismissals,
        uses=state.uses,
        exclude=question.exclude,
        kinds=question.kinds,
        category=question.category,
    )


def _profile(state: CardholderState, question: Question) -> Profile:
    """His profile, in the city where he is now."""
    profile = state.profile
    if question.city is None or question.city == profile.city:
        return profile
    return Profile(profile.card_products, question.city, profile.segments)


def shortfall(
    question: Question, eligible: Eligible, page: Page, returned: int
) -> Shortfall | None:
    """Why a list is shorter than asked for; None when it is not."""
    if returned >= question.limit:
        return None
    if eligible.mask.size == 0:
        return Shortfall.CATALOGUE_EMPTY
    n_eligible = int(np.count_nonzero(eligible.mask))
    if n_eligible == 0:
        return Shortfall.NOTHING_ELIGIBLE
    if n_eligible == returned:
        return Shortfall.TOO_FEW_ELIGIBLE
    return Shortfall.STRICT if question.strict and page.open.any() else Shortfall.CAPS


def degraded(model: ServingModel, state: CardholderState) -> tuple[str, ...]:
    """What the answer had to do without."""
    return (*state.lacking, *(() if model.bundle else (Lacking.MODEL.value,)))
