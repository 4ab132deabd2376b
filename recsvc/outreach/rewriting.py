"""Vectors of those who deleted interests, as their own lists have them.

A published model still knows what somebody deleted since its training was told of deletions, or at
all where it was trained without their list. Lists leave it out as they are made, and so must who
chooses people for pushes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.model import ServingModel
from recsvc.domain.ports import CardholderStates
from recsvc.domain.taste import taste_of

AT_A_TIME = 100


class Rewritten(NamedTuple):
    """Vectors that stand in place of the model's.

    Parameters
    ----------
    places : int64, shape (m,)              places in the crowd
    vectors : float32, shape (m, n_factors) zeros for who has nothing left
    """

    places: NDArray[np.int64]
    vectors: NDArray[np.float32]


def rewritten(
    model: ServingModel,
    states: CardholderStates,
    cardholder_ids: Sequence[str],
    forgot: NDArray[np.bool_],
) -> Rewritten:
    """Vectors of those of a crowd who deleted an interest.

    Parameters
    ----------
    model : one with a bundle
    states : read once for each hundred of them
    cardholder_ids : n ids
    forgot : bool, shape (n,)
    """
    assert model.bundle is not None  # noqa: S101 - whoever chooses has one
    places = np.flatnonzero(forgot)
    vectors = np.zeros((places.size, model.bundle.model.factors.cardholders.shape[1]), np.float32)
    ids = [cardholder_ids[place] for place in places.tolist()]
    for start in range(0, len(ids), AT_A_TIME):
        some = states.states_of(model.issuer_id, ids[start : start + AT_A_TIME])
        for at, state in enumerate(some, start):
            found = taste_of(model, state).vector
            if found is not None:
                vectors[at] = found
    return Rewritten(places.astype(np.int64), vectors)
