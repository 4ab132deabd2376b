"""Which sources are asked for a cardholder, and in which order."""

from collections.abc import Iterator

from recsvc.domain.candidates.alike import Similar
from recsvc.domain.candidates.ordered import InOrder, Popularity
from recsvc.domain.candidates.personal import Personal
from recsvc.domain.candidates.proposer import Proposer
from recsvc.domain.cardholder import Profile
from recsvc.domain.eligibility import ByTerms
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.popularity import chain
from recsvc.domain.taste import Taste


class Sources:
    """Sources in the order in which they are asked; may be gone through again and again.

    Those behind the cardholder's own are made only when they are come to, which is seldom.

    Parameters
    ----------
    own : what follows from his vector and history; None where nothing of him is known
    model : ServingModel
    profile : Profile, whose product and city name the segments; None for no filler
    boost_weight : float
    """

    def __init__(
        self,
        own: tuple[Personal, Similar] | None,
        model: ServingModel,
        profile: Profile | None,
        boost_weight: float,
    ) -> None:
        self._own = own
        self._model = model
        self._profile = profile
        self._boost_weight = boost_weight

    def __iter__(self) -> Iterator[Proposer]:
        if self._own is not None:
            yield from self._own
        if self._profile is None:
            return
        for segment in self._model.popularity.known(chain(self._profile)):
            yield Popularity(self._model, segment, self._boost_weight)
        yield InOrder.of_new(self._model.newest)

    def first(self, limit: int) -> list[tuple[int, float]]:
        """Rows and scores of the best items by his own vector, eligible or not, best first.

        A list's quick beginning; what comes after its end is left to the sources themselves.
        """
        return [] if self._own is None else self._own[0].first(limit)


def proposers(
    model: ServingModel,
    taste: Taste,
    profile: Profile,
    policy: RankingPolicy,
    *,
    by_terms: ByTerms,
    strict: bool,
) -> Sources:
    """Sources in the order in which they are asked.

    Personal, similar to recent, popular in each segment from the nearest to everyone, new. Without
    a vector only the last two; ``strict`` leaves out those.
    """
    own = None
    if taste.vector is not None:
        own = (Personal(model, taste, policy, model.index_for(by_terms)), Similar(model, taste))
    return Sources(own, model, None if strict else profile, policy.boost_weight)
