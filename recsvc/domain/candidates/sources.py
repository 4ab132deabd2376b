"""Which sources are asked for a cardholder, and in which order."""

from collections.abc import Sequence

from recsvc.domain.candidates.alike import Similar
from recsvc.domain.candidates.ordered import InOrder, Popularity
from recsvc.domain.candidates.personal import Personal
from recsvc.domain.candidates.proposer import Proposer
from recsvc.domain.eligibility import Circumstances
from recsvc.domain.model import ServingModel
from recsvc.domain.policy import RankingPolicy
from recsvc.domain.popularity import chain
from recsvc.domain.taste import Taste


def proposers(
    model: ServingModel,
    taste: Taste,
    asked: Circumstances,
    policy: RankingPolicy,
    *,
    strict: bool,
) -> Sequence[Proposer]:
    """Sources in the order in which they are asked.

    Personal, similar to recent, popular in each segment from the nearest to everyone, new. Without
    a vector only the last two; ``strict`` leaves out those.
    """
    found: list[Proposer] = []
    if taste.vector is not None:
        found = [Personal(model, taste, policy, model.index_for(asked)), Similar(model, taste)]
    if strict:
        return found
    popularity = model.popularity
    for segment in popularity.known(chain(asked.profile)):
        found.append(Popularity(model, segment, policy.boost_weight))
    return [*found, InOrder.of_new(model.newest)]
