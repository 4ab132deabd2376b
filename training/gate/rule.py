"""Thresholds of the gate."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """When a model is refused.

    The data floor is Amazon Personalize's; small issuers lower it in their configuration.

    Parameters
    ----------
    min_interactions : int
        Transactions and responses that count.
    min_cardholders : int
        Cardholders with at least two cells.
    min_ratio_to_popular : float
        Floor on recall, as a multiple of most-popular's.
    max_cardholder_share, max_merchant_share : float
        Share of all signal (capped, decayed weights) that one may hold, within (0, 1].
    min_coverage : float
        Share of the merchants that appear in some judged list.
    min_volume_ratio : float
        Transactions a day against the bundle in use, and its inverse; within (0, 1].
    max_category_shift : float
        Total variation distance between the shares of categories now and in the bundle in use.
    min_id_ratio : float
        Cardholders and columns against the bundle in use.
    max_fall : float
        Largest relative fall of recall since the bundle in use was judged on its own split.
    max_zero_share : float
        Share of vectors that may be all zero.
    """

    min_interactions: int = 1000
    min_cardholders: int = 25
    min_ratio_to_popular: float = 1.0
    max_cardholder_share: float = 0.1
    max_merchant_share: float = 0.5
    min_coverage: float = 0.01
    min_volume_ratio: float = 0.5
    max_category_shift: float = 0.3
    min_id_ratio: float = 0.9
    max_fall: float = 0.4
    max_zero_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse thresholds that are no numbers at or above 0."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ValueError(f"{each.name}: {value} must be a number at or above 0")
