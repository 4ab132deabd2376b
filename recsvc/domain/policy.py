"""One way of ranking, by name: what a marketer may turn."""

from dataclasses import dataclass

from recsvc.domain.question import MAX_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingPolicy:
    """Parameters of one named ranking.

    Parameters
    ----------
    name : str
    boost_weight : float
        What the highest priority (1000) adds to a score, at least 0. Personal scores and shares
        of popularity both lie about within [0, 1].
    visit_weight : float
        Weight of ``log(1 + visits)`` at the item's merchants, at least 0.
    max_per_merchant, max_per_category : int or None
        The most items of one list at one merchant, or of one category.
    relax_caps : bool
        Whether the caps give way when a list would come out short for them.
    promoted_positions : tuple of int
        Ranks kept for sponsored items, ascending; free ranks go to the others.
    exploration_bps : int
        Of ten thousand personalised lists, how many end with a chance item, 0 to 10,000.
    exploration_pool : int
        From how many items chance draws, at least 1.
    """

    name: str = "default"
    boost_weight: float = 0.1
    visit_weight: float = 0.0
    max_per_merchant: int | None = 2
    max_per_category: int | None = None
    relax_caps: bool = True
    promoted_positions: tuple[int, ...] = (3,)
    exploration_bps: int = 0
    exploration_pool: int = 50

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.boost_weight < 0 or self.visit_weight < 0:
            raise ValueError("boost_weight and visit_weight must be at least 0")
        for cap in (self.max_per_merchant, self.max_per_category):
            if cap is not None and cap < 1:
                raise ValueError(f"a cap of {cap} would show nothing; give 1 or more, or None")
        if not all(1 <= position <= MAX_LIMIT for position in self.promoted_positions):
            raise ValueError(f"promoted_positions: each must be 1 to {MAX_LIMIT}")
        if sorted({*self.promoted_positions}) != list(self.promoted_positions):
            raise ValueError("promoted_positions: must ascend, each once")
        if not 0 <= self.exploration_bps <= 10_000 or self.exploration_pool < 1:
            raise ValueError("exploration_bps: 0 to 10000; exploration_pool: 1 or more")
