"""What responses taught travels with the bundle and scores what nobody has seen yet."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.appeal import TRAITS, Appeal, Setting, generosity, traits_of
from embeddings.bundle import Bundle
from embeddings.catalog import parse_item
from embeddings.compose import Composition
from embeddings.errors import BundleError
from tests.bundles import a_benefit, an_offer, checkerboard, written

SETTING = Setting(
    np.array([1, 0, 0, 0], np.float32), np.array([0, 1, 0, 0], np.float32), np.e - 1, 0.0
)


def an_appeal(n_items: int = 6, n_factors: int = 4) -> Appeal:
    """Merchants doubled, categories tripled; the first item has a correction and a bias."""
    corrections = np.zeros((n_items, n_factors), np.float32)
    biases = np.zeros(n_items, np.float32)
    corrections[0, 2], biases[0] = 5.0, 0.25
    traits = np.zeros(len(TRAITS), np.float32)
    traits[:2] = 0.5, -0.125
    maps = np.stack([2 * np.eye(n_factors), 3 * np.eye(n_factors)]).astype(np.float32)
    return Appeal(maps, traits, corrections, biases)


def test_an_item_nobody_has_seen_is_scored_by_its_merchant_its_categories_and_its_traits() -> None:
    vector, bias = an_appeal().of(parse_item(an_offer()), SETTING, None)

    assert vector.tolist() == [2, 3, 0, 0]
    assert bias == 0.5


def test_an_item_that_was_seen_adds_what_its_own_responses_say() -> None:
    vector, bias = an_appeal().of(parse_item(a_benefit()), SETTING, 0)

    assert vector.tolist() == [2, 3, 5, 0]
    assert bias == 0.5 - 0.125 + 0.25


def test_traits_say_what_is_known_before_anyone_has_seen_the_item() -> None:
    offer = dict(zip(TRAITS, traits_of(parse_item(an_offer()), SETTING).tolist(), strict=True))
    benefit = dict(zip(TRAITS, traits_of(parse_item(a_benefit()), SETTING).tolist(), strict=True))

    assert {name for name, value in offer.items() if value} == {
        "any", "reach_of_merchants", "generosity", "type:reward:spend_and_get",
    }  # fmt: skip
    assert offer["reach_of_merchants"] == pytest.approx(0.5)
    assert offer["generosity"] == pytest.approx(0.2)
    assert {name for name, value in benefit.items() if value} == {
        "any", "is_benefit", "names_no_merchant", "reach_of_merchants", "type:benefit:lounge",
    }  # fmt: skip


def test_generosity_is_a_share_of_the_purchase() -> None:
    def of(**reward: object) -> float:
        return generosity(parse_item(an_offer(reward=reward)))

    yuan = {"amount_minor": 500, "currency": "CNY"}
    assert of(type="percent_discount", rate_bps=1500) == 0.15
    assert of(type="coupon", value=yuan, min_spend=yuan) == 1.0
    assert of(type="coupon", value=yuan) == 0.0
    assert of(type="coupon", value=yuan, min_spend={"amount_minor": 0, "currency": "CNY"}) == 0.0


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        replace(an_appeal(), biases=np.zeros(5, np.float32))
    with pytest.raises(ValueError, match="traits"):
        replace(an_appeal(), traits=np.zeros(len(TRAITS) + 1, np.float32))


def test_a_bundle_that_knows_fewer_traits_is_read_as_far_as_it_goes() -> None:
    older = replace(an_appeal(), traits=np.array([0.5], np.float32))

    assert older.of(parse_item(a_benefit()), SETTING, None)[1] == 0.5


def with_appeal(tmp_path: Path, appeal: Appeal | None) -> Path:
    return written(tmp_path, replace(checkerboard(), appeal=appeal))


def test_the_bundle_composes_as_the_model_that_was_trained(tmp_path: Path) -> None:
    model = replace(checkerboard(), appeal=an_appeal())
    opened = Bundle.open(with_appeal(tmp_path, an_appeal())).composer()
    trained = model.composer(Composition())
    new = parse_item(an_offer("published_since", merchant_id="m_1", mcc=None))

    for item in (*model.catalog.items, new):
        np.testing.assert_array_equal(opened.compose(item).pull, trained.compose(item).pull)
        assert opened.compose(item).bias == trained.compose(item).bias
    first, later = (opened.compose(item) for item in (model.catalog.items[0], new))
    assert first.bias == 0.75
    assert later.bias == 0.5
    assert np.count_nonzero(later.pull)


def test_a_direction_does_not_depend_on_how_often_a_column_is_met(tmp_path: Path) -> None:
    composer = Bundle.open(with_appeal(tmp_path, an_appeal())).composer()
    setting = composer.setting(parse_item(an_offer(merchant_id="m_1", mcc="5411")))

    assert np.linalg.norm(setting.merchants) == pytest.approx(1.0)
    assert np.linalg.norm(setting.categories) == pytest.approx(1.0)


def test_without_responses_what_draws_is_what_the_item_is_like(tmp_path: Path) -> None:
    composer = Bundle.open(with_appeal(tmp_path, None)).composer()
    composed = composer.compose(parse_item(an_offer(merchant_id="m_1", mcc="5411")))

    np.testing.assert_array_equal(composed.pull, composed.vector)
    assert composed.bias == 0


def test_an_item_that_hangs_on_nothing_known_is_known_by_its_own_responses() -> None:
    model = checkerboard()
    nowhere = parse_item(an_offer("offer_0", merchant_id="m_unseen", mcc="9999"))
    composer = replace(model, appeal=an_appeal()).composer(Composition())

    assert composer.compose(nowhere).is_known
    assert not model.composer(Composition()).compose(nowhere).is_known


def test_a_part_of_the_arrays_is_refused(tmp_path: Path) -> None:
    model = replace(checkerboard(), appeal=an_appeal())
    folder = written(tmp_path, model, lambda place: (place / "appeal_biases.npy").unlink())

    with pytest.raises(BundleError, match="appeal_biases") as raised:
        Bundle.open(folder)
    assert raised.value.code == "file_missing"
