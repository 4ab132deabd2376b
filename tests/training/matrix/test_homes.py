"""Where cardholders belong: by their usage, and by their profiles before it."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.interactions import EventWeights
from tests.training.worlds import FIRST_DAY, a_transaction, a_world, write_lines
from training.matrix import Homes, homes_of, open_inputs, spool_contacts, survey
from training.matrix.homes import most_frequent

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 4)), max_size=60)

USAGE = (
    ("c1", 0, "gold", "beijing"),
    ("c1", 1, "gold", "shanghai"),
    ("c1", 2, "basic", "shanghai"),
    ("c2", 0, "basic", None),
    ("c2", 9, "gold", "xian"),
    ("c2", 9, "gold", "xian"),
    ("c3", 0, None, None),
)


def homes(folder: Path, *profiles: dict[str, Any], **limits: Any) -> dict[str, tuple[Any, ...]]:
    """Products and city of each cardholder, by name."""
    rows = [
        a_transaction(who, "m1", day, card_product_id=product, city=city)
        for who, day, product, city in USAGE
    ]
    world = a_world(folder, rows)
    write_lines(path := folder / "cardholders.ndjson", profiles)
    inputs = open_inputs(
        [world.usage], world.catalog, None, path if profiles else None, EventWeights()
    )
    found = survey(inputs, b"homes")
    with spool_contacts(inputs, found) as spool:
        said = homes_of(spool, found, inputs.profiles, **limits)
    told = [*found.cardholders][: said.city.size]
    return {name: one_of(said, row) for row, name in enumerate(told)}


def one_of(said: Homes, row: int) -> tuple[Any, ...]:
    products = [said.products[code] for code in said.held[said.holders == row]]
    return products, [*said.cities, None][said.city[row]]


def a_profile(cardholder: str, *products: str, city: str | None = None) -> dict[str, Any]:
    cards = [{"card_product_id": product} for product in products]
    return {"cardholder_id": cardholder, "card_products": cards, "city": city}


def test_usage_tells_the_commonest_product_and_city(tmp_path: Path) -> None:
    assert homes(tmp_path) == {
        "c1": (["gold"], "shanghai"),
        "c2": (["gold"], "xian"),
        "c3": ([], None),
    }


def test_usage_of_later_days_tells_nothing(tmp_path: Path) -> None:
    assert homes(tmp_path, before_day=FIRST_DAY + 2) == {
        "c1": (["gold"], "beijing"),  # once each; the first by name
        "c2": (["basic"], None),
        "c3": ([], None),
    }


def test_a_profile_goes_before_usage_in_what_it_says(tmp_path: Path) -> None:
    said = homes(
        tmp_path,
        a_profile("c9", "secret", city="nowhere"),
        a_profile("c3", "world", "gold", "gold", city="urumqi"),
        a_profile("c2", city="chengdu"),
        a_profile("c1", "platinum"),
    )

    assert said == {
        "c1": (["platinum"], "shanghai"),
        "c2": (["gold"], "chengdu"),
        "c3": (["gold", "world"], "urumqi"),
    }


def test_profiles_of_nobody_we_know_change_nothing(tmp_path: Path) -> None:
    assert homes(tmp_path, a_profile("c9", "secret", city="nowhere")) == homes(tmp_path)


def test_a_sample_is_told_of_by_its_own_profiles_only(tmp_path: Path) -> None:
    everyone = (a_profile(f"c{n}", f"card {n}", city=f"city {n}") for n in (1, 2, 3))
    said = homes(tmp_path, *everyone, n_cardholders=2)

    assert len(said) == 2
    assert said == {name: ([f"card {name[1]}"], f"city {name[1]}") for name in said}


@settings(deadline=None)
@given(pairs)
def test_the_most_frequent_code_is_the_smallest_of_the_commonest(
    drawn: list[tuple[int, int]],
) -> None:
    counts: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for holder, code in drawn:
        if code >= 0:
            counts[holder][code] += 1
    expected = {
        holder: min(found, key=lambda code: (-found[code], code))
        for holder, found in counts.items()
    }
    holders, codes = np.array(drawn, np.int32).reshape(-1, 2).T
    found_holders, found_codes = most_frequent(holders, codes.astype(np.int16))

    assert dict(zip(found_holders.tolist(), found_codes.tolist(), strict=True)) == expected
    assert found_holders.tolist() == sorted(expected)


def test_a_profile_that_says_nothing_leaves_usage_its_word(tmp_path: Path) -> None:
    assert homes(tmp_path, a_profile("c1")) == homes(tmp_path)
