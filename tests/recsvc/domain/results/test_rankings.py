"""Rankings side by side, in a world whose answer can be counted by hand."""

from recsvc.domain.results.rankings import SLACK_MS, Deed, Served, compare

SHARES = {"default": 5000, "new": 5000}


def lists(ranking: str, count: int, *, at_ms: int = 1_000) -> list[Served]:
    return [Served(at_ms, f"{ranking}_{n}", ranking, ("a", "b")) for n in range(count)]


def clicks(ranking: str, count: int, item_id: str = "a", at_ms: int = 2_000_000) -> list[Deed]:
    return [Deed(at_ms, f"{ranking}_{n}", "clicked", item_id) for n in range(count)]


def test_the_better_ranking_is_told_with_its_interval() -> None:
    served = [*lists("default", 1000), *lists("new", 1000)]
    deeds = [*clicks("default", 200), *clicks("new", 300)]
    found = compare(served, deeds, SHARES).rankings

    effect = found["new"].outcomes["clicked"].effect
    assert effect is not None
    assert found["default"].outcomes["clicked"].per_cardholder == 0.2
    assert (round(effect.estimate, 9), effect.low > 0.06, effect.high < 0.14) == (0.1, True, True)
    assert found["default"].outcomes["clicked"].effect is None
    assert found["new"].outcomes["redeemed"].per_cardholder == 0


def test_one_who_clicks_all_day_counts_once_an_item() -> None:
    deeds = [*clicks("new", 1), *clicks("new", 1), *clicks("new", 1, "b")]
    found = compare(lists("new", 10), deeds, SHARES).rankings["new"]

    assert found.outcomes["clicked"].per_cardholder == 0.2


def test_only_what_was_shown_before_counts() -> None:
    at_ms = SLACK_MS + 1_000
    early = clicks("new", 5, at_ms=999)
    never = clicks("new", 5, item_id="c")
    found = compare(lists("new", 5, at_ms=at_ms), [*early, *never], SHARES).rankings["new"]

    assert found.outcomes["clicked"].per_cardholder == 0


def test_whoever_was_served_by_two_rankings_counts_for_none() -> None:
    both = [Served(1, "ch", "default", ("a",)), Served(2, "ch", "new", ("a",))]
    found = compare(both, [Deed(3, "ch", "clicked", "a")], SHARES)

    assert found.mixed == 1
    assert [one.cardholders for one in found.rankings.values()] == [0, 0]


def test_arms_that_chance_did_not_make_are_told() -> None:
    fair = compare([*lists("default", 500), *lists("new", 510)], [], SHARES).rankings["new"].ratio
    bent = compare([*lists("default", 500), *lists("new", 300)], [], SHARES).rankings["new"].ratio

    assert fair is not None
    assert bent is not None
    assert (fair.is_broken, bent.is_broken) == (False, True)


def test_lists_of_a_ranking_that_is_no_longer_compared_are_left_out() -> None:
    assert list(compare(lists("old", 5), [], SHARES).rankings) == ["default", "new"]
