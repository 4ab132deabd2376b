"""Groups of cardholders, none so small that it tells on its members."""

import numpy as np

from training.matrix.homes import Homes
from training.matrix.segments import segments_of


def homes(holders: list[int], held: list[int], city: list[int]) -> Homes:
    def codes(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return np.array(values, np.int32)

    nobody = codes([-1] * len(city))
    return Homes(["gold"], ["paris"], [], codes(holders), codes(held), codes(city), nobody)


def test_an_issuer_that_tells_no_products_and_no_cities_has_one_group() -> None:
    segments = segments_of(homes([], [], [-1, -1, -1]), 1)

    assert segments.names == ("all",)
    assert segments.members.toarray().tolist() == [[1.0, 1.0, 1.0]]


def test_a_group_below_the_minimum_is_folded_away() -> None:
    segments = segments_of(homes([0, 1], [0, 0], [0, 0, 0]), 3)

    assert segments.names == ("all", "city:paris")


def test_a_product_in_a_city_holds_those_who_are_in_both() -> None:
    segments = segments_of(homes([0, 2], [0, 0], [0, 0, -1]), 1)

    members = dict(zip(segments.names, segments.members.toarray().tolist(), strict=True))
    assert members["product:gold"] == [1.0, 0.0, 1.0]
    assert members["product:gold|city:paris"] == [1.0, 0.0, 0.0]
