"""Narrowed indexes answer the same, and stay within their bytes."""

import numpy as np

from embeddings.index import ItemIndex
from recsvc.domain.model import ServingModel
from recsvc.domain.narrowing import Narrowing
from recsvc.domain.question import Answer
from tests.bundles import an_offer
from tests.worlds import NOW, a_cardholder, a_model, a_question, a_recommender

CHANCE = np.random.default_rng(3)
VECTORS = CHANCE.standard_normal((400, 6)).astype(np.float32)
KNOWN = CHANCE.random(400) < 0.9


def test_the_second_and_every_further_list_of_a_mask_is_the_first() -> None:
    cities = ("Shanghai", "Beijing")
    model = a_model(
        *(
            an_offer(
                f"offer_{n:02d}",
                merchant_id=f"m_{n % 6}",
                terms={"cities": [cities[n % 2]]} if n % 3 else {},
            )
            for n in range(40)
        )
    )

    lists = [answer_of(model, city) for _ in range(3) for city in cities]

    assert model.narrowing.nbytes > 0
    assert lists[:2] == lists[2:4] == lists[4:]


def answer_of(model: ServingModel, city: str) -> list[tuple[str, float]]:
    question = a_question("ch_3", city=city)
    answer: Answer = a_recommender().answer(model, a_cardholder("ch_3"), question, NOW)
    return [(served.item.item_id, served.score) for served in answer.items]


def test_a_mask_that_came_once_costs_no_memory() -> None:
    whole = ItemIndex(VECTORS)
    narrowing = Narrowing(whole, KNOWN)

    assert narrowing.index("once", KNOWN) is whole
    assert narrowing.nbytes == 0


def test_the_oldest_goes_when_the_bytes_are_used_up() -> None:
    whole = ItemIndex(VECTORS)
    masks = {number: CHANCE.random(400) < 0.5 for number in range(9)}
    one = whole.narrowed(masks[0] & KNOWN).nbytes
    narrowing = Narrowing(whole, KNOWN, most_bytes=4 * one)

    for _ in range(2):
        for number, mask in masks.items():
            narrowing.index(number, mask)

    assert 0 < narrowing.nbytes <= 4 * one
    assert narrowing.index(8, masks[8]) is narrowing.index(8, masks[8])
    assert len(narrowing.index(8, masks[8])) == np.count_nonzero(masks[8] & KNOWN)


def test_an_index_too_large_to_keep_still_answers() -> None:
    narrowing = Narrowing(ItemIndex(VECTORS), KNOWN, most_bytes=10)

    for _ in range(3):
        assert len(narrowing.index("mask", KNOWN)) >= np.count_nonzero(KNOWN)

    assert narrowing.nbytes == 0
