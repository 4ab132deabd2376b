"""How likely a cardholder takes an item up when he sees it: what responses teach of items.

Usage says where cardholders go; responses say which offers move them. The log-odds that cardholder
``x`` takes up an item are ``x·(W₁m + W₂c + δ) + t·θ + β``: ``m`` and ``c`` are the mean directions
of the merchants and categories it hangs on, ``t`` its traits, and ``δ`` and ``β`` what its own
responses add. An item that nobody has seen yet has all but the last two, so it is scored at once.

All of it is an inner product with the cardholder's vector plus a bias, and it is stored on the
scale of ``x·y``: an average item has about ½ and nearly all lie within [0, 1].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Benefit, BenefitType, Item, RewardType

REACH_SCALE = 2.0
TYPE = "type:"
TRAITS = (
    "any",
    "is_benefit",
    "names_no_merchant",
    "reach_of_merchants",
    "reach_of_categories",
    "generosity",
    *(f"{TYPE}reward:{kind.value}" for kind in RewardType),
    *(f"{TYPE}benefit:{kind.value}" for kind in BenefitType),
)
"""What is known of an item before anyone has seen it. New traits are added at the end: a bundle
that knows fewer is read as far as it goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """Where an item holds, as the columns know it.

    Parameters
    ----------
    merchants, categories : float32, shape (n_factors,)
        Mean of the directions (unit vectors) of its known columns; zeros when there are none.
        Directions, since a category's column is met far more often and so is longer.
    reach_of_merchants, reach_of_categories : float
        Mean number of cardholders of these columns.
    """

    merchants: NDArray[np.float32]
    categories: NDArray[np.float32]
    reach_of_merchants: float
    reach_of_categories: float


def traits_of(item: Item, setting: Setting) -> NDArray[np.float32]:
    """Traits of an item, float32, shape (len(TRAITS),), none far from 1."""
    found = dict.fromkeys(TRAITS, 0.0) | {
        "any": 1.0,
        "is_benefit": float(isinstance(item, Benefit)),
        "names_no_merchant": float(not item.merchants()),
        "reach_of_merchants": float(np.log1p(setting.reach_of_merchants)) / REACH_SCALE,
        "reach_of_categories": float(np.log1p(setting.reach_of_categories)) / REACH_SCALE,
        "generosity": generosity(item),
        _kind(item): 1.0,
    }
    return np.fromiter(found.values(), np.float32, len(TRAITS))


def _kind(item: Item) -> str:
    if isinstance(item, Benefit):
        return f"{TYPE}benefit:{item.benefit_type.value}"
    return f"{TYPE}reward:{item.reward.type.value}"


def generosity(item: Item) -> float:
    """What share of the purchase the reward gives back, within [0, 1]; 0 where it does not say."""
    if isinstance(item, Benefit):
        return 0.0
    reward = item.reward
    if reward.rate_bps is not None:
        return reward.rate_bps / 10_000
    if reward.value is None or reward.min_spend is None or not reward.min_spend.amount_minor:
        return 0.0
    return min(reward.value.amount_minor / reward.min_spend.amount_minor, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Appeal:
    """What was learned from responses; arrays of a bundle.

    Parameters
    ----------
    maps : float32, shape (2, n_factors, n_factors)
        From the directions of merchants and of categories to what is multiplied with a
        cardholder's vector.
    traits : float32, shape (n_traits,)
        Weight of each of ``TRAITS``, at most as many.
    corrections : float32, shape (n_items, n_factors)
        What responses to each item of the bundle's catalogue add to its vector.
    biases : float32, shape (n_items,)
        What they add to its score.
    """

    maps: NDArray[np.float32]
    traits: NDArray[np.float32]
    corrections: NDArray[np.float32]
    biases: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n_items, n_factors = self.corrections.shape
        if self.maps.shape != (2, n_factors, n_factors) or self.biases.shape != (n_items,):
            raise ValueError(
                f"maps {self.maps.shape}, corrections {self.corrections.shape} and biases "
                f"{self.biases.shape} do not belong together"
            )
        if self.traits.size > len(TRAITS):
            raise ValueError(f"{self.traits.size} traits; this code knows {len(TRAITS)}")

    def of(
        self, item: Item, setting: Setting, row: int | None
    ) -> tuple[NDArray[np.float32], np.float32]:
        """Vector and bias of an item: its score for a cardholder ``x`` is ``x·vector + bias``.

        Parameters
        ----------
        item : Benefit or MerchantOffer
        setting : Setting
        row : int or None
            Its row in the bundle's catalogue; None for an item published since.
        """
        vector = self.maps[0] @ setting.merchants + self.maps[1] @ setting.categories
        bias = self.traits @ traits_of(item, setting)[: self.traits.size]
        if row is not None:
            vector, bias = vector + self.corrections[row], bias + self.biases[row]
        return np.asarray(vector, np.float32), np.float32(bias)

    def speaks_of(self, row: int | None) -> bool:
        """Whether responses to this very item were seen."""
        return row is not None and bool(self.biases[row])

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Every array by its name in the bundle."""
        return {name: getattr(self, name.removeprefix(PREFIX)) for name in NAMES}


PREFIX = "appeal_"
NAMES = ("appeal_maps", "appeal_traits", "appeal_corrections", "appeal_biases")
"""Arrays that a bundle has all of or none."""
