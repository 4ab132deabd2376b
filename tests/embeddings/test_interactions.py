"""What one contact of each kind weighs."""

import numpy as np
import pytest

from embeddings.interactions import EventType, EventWeights


@pytest.mark.parametrize("field", ["transaction", "redeemed", "half_life_days", "daily_cap"])
@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_a_weight_below_zero_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        EventWeights(**{field: value})


def test_weights_survive_the_manifest_with_and_without_decay() -> None:
    for rule in (EventWeights(), EventWeights(half_life_days=np.inf)):
        assert EventWeights.from_document(rule.as_document()) == rule


def test_what_was_only_shown_or_waved_away_makes_no_cell() -> None:
    assert EventWeights().of(EventType.SERVED) == 0
    assert EventWeights().of(EventType.DISMISSED) == 0
    assert EventWeights().of(EventType.TRANSACTION) == 1
