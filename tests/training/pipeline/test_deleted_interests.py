"""A run counts nothing that a cardholder did at a column before he deleted it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from embeddings.compose import own_kind
from embeddings.deleted_interests import FILE_NAME, DeletedInterests
from embeddings.erasure import erased_hash
from embeddings.interactions import EventWeights
from embeddings.shelf import Shelf
from embeddings.vocabulary import column_id
from tests.bundles import an_offer
from tests.training.pipeline.test_run import history_of, published, train
from tests.training.worlds import (
    OPENS_AT,
    World,
    a_transaction,
    a_world,
    an_event,
    checkerboard_usage,
)
from training.appeal import Impressions, without_deleted
from training.config import EvaluationPlan
from training.errors import BadInputError
from training.matrix import Forgotten, open_inputs, spool_contacts, survey
from training.split import split, split_day
from training.weighting import ModelParameters

KEY = b"k" * 16
WHO = "ch_0"  # at m_4 on days 9, 45 and 81, elsewhere in 5812 on nine more


def tell(world: World, days: dict[str, int], issuer_id: str = "demo") -> None:
    """Say which columns ``WHO`` deleted, at nine in the morning of which days."""
    deletions = {
        name: int((OPENS_AT + timedelta(days=day)).timestamp() * 1_000_000)
        for name, day in days.items()
    }
    place = world.folder / "shelf" / "demo"
    place.mkdir(parents=True, exist_ok=True)
    told = {erased_hash(KEY, WHO): deletions} if deletions else {}
    through = datetime(2025, 5, 1, tzinfo=UTC) if deletions else None
    DeletedInterests(issuer_id, KEY, 1, told, through).write(place / FILE_NAME)


def test_only_what_came_after_the_deletion_counts_and_the_category_stays(tmp_path: Path) -> None:
    before = history_of(published(world := a_world(tmp_path)), WHO)
    tell(world, {"merchant:m_4": 45})

    bundle = published(world)

    after = history_of(bundle, WHO)
    assert (before["merchant:m_4"][1], after["merchant:m_4"][1]) == (3, 1)
    assert after["merchant:m_4"][0] < before["merchant:m_4"][0]
    assert {**after, "merchant:m_4": 0} == {**before, "merchant:m_4": 0}
    assert bundle.manifest.interests_deleted_through == datetime(2025, 5, 1, tzinfo=UTC)


def test_a_deleted_category_leaves_its_merchants(tmp_path: Path) -> None:
    before = history_of(published(world := a_world(tmp_path)), WHO)
    tell(world, {"category:5812": 98})

    after = history_of(published(world), WHO)
    assert after.keys() == before.keys()
    assert (before["category:5812"][1], after["category:5812"][1]) == (12, 1)
    assert {**after, "category:5812": 0} == {**before, "category:5812": 0}


def test_where_nothing_came_after_the_cell_is_gone_and_nobody_counts_it(tmp_path: Path) -> None:
    before = published(world := a_world(tmp_path))
    tell(world, dict.fromkeys(["merchant:m_4", "merchant:m_9", "merchant:nobody_met"], 81))

    after = published(world)

    assert "merchant:m_4" not in history_of(after, WHO)
    row = before.model.columns.row("merchant:m_4")
    assert row == after.model.columns.row("merchant:m_4")
    assert row is not None
    counts = (before.model.column_cardholders[row], after.model.column_cardholders[row])
    assert counts[0] - counts[1] == 1


def test_one_who_deleted_everything_has_no_row(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    everything = dict.fromkeys(["category:5812", *(f"merchant:m_{m}" for m in range(0, 10, 2))], 99)
    tell(world, everything)

    assert published(world).model.cardholders.row(WHO) is None


def test_an_answer_to_an_item_is_left_out_as_a_payment_is(tmp_path: Path) -> None:
    catalog = [an_offer(f"offer_{n}") for n in (1, 2)]
    events = [an_event(n, WHO, f"offer_{1 + n % 2}", 50 + n) for n in range(4)]
    world = a_world(tmp_path, catalog=catalog, events=events)
    tell(world, {"offer:offer_1": 51})

    found = history_of(published(world, "--events", str(world.events)), WHO)
    assert (found["offer:offer_1"][1], found["offer:offer_2"][1]) == (1, 2)


def test_a_list_of_nothing_changes_no_bit_of_the_factors(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    absent = published(world)
    tell(world, {})
    empty = published(world)
    tell(world, {"merchant:m_4": 45})

    assert absent.manifest.factor_hash == empty.manifest.factor_hash
    assert absent.manifest.interests_deleted_through is None
    assert published(world).manifest.factor_hash != empty.manifest.factor_hash


def test_a_visit_that_was_deleted_is_none_that_no_model_could_know(tmp_path: Path) -> None:
    usage = [*checkerboard_usage(), a_transaction(WHO, "m_new", 97, mcc="5812")]
    world = a_world(tmp_path, usage)
    inputs = open_inputs([world.usage], world.catalog, None, None, EventWeights())
    found = survey(inputs, KEY)
    moment = int((OPENS_AT + timedelta(days=97)).timestamp() * 1_000_000)
    told = {erased_hash(KEY, WHO): {"merchant:m_new": moment}}
    forgotten = Forgotten.of(
        DeletedInterests("demo", KEY, 1, told), found.cardholders, found.columns
    )

    def unreachable(left_out: Forgotten | None) -> int:
        day = split_day(found, None, EvaluationPlan())
        with spool_contacts(inputs, found, left_out) as spool:
            cut = split(spool, found, None, ModelParameters(), day=day, max_cardholders=60)
        return cut.unreachable

    assert (unreachable(None), unreachable(forgotten)) == (1, 0)


def test_a_list_that_is_torn_or_another_issuers_stops_the_run_and_is_named(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path)
    tell(world, {"merchant:m_4": 45}, "other")
    path = tmp_path / "shelf" / "demo" / FILE_NAME
    with pytest.raises(BadInputError, match=f"{path}: is the list of another issuer than demo"):
        train(world)

    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BadInputError, match=f"{path}: is no list of deleted interests"):
        train(world)
    assert Shelf(tmp_path / "shelf", "demo").versions() == []


def test_what_is_learned_of_items_leaves_out_interests_in_items_that_were_deleted(
    tmp_path: Path,
) -> None:
    catalog = [an_offer(f"offer_{n}") for n in (1, 2)]
    model = published(a_world(tmp_path, catalog=catalog)).model
    names = [column_id(own_kind(item), item.item_id) for item in model.catalog.items]
    told = {erased_hash(KEY, model.cardholders.id(3)): {names[1]: 1, "merchant:m_1": 1}}
    yes = np.ones(4, np.bool_)
    seen = Impressions(np.array([2, 3, 3, 4]), np.array([1, 0, 1, 1]), yes, yes)

    deleted = DeletedInterests("demo", KEY, 1, told)
    left = without_deleted(seen, deleted, model.cardholders, model.catalog)
    assert list(zip(left.cardholders, left.items, strict=True)) == [(2, 1), (3, 0), (4, 1)]
    assert without_deleted(seen, None, model.cardholders, model.catalog) is seen
