"""The bundle in use as a rival: with the parameters it was scored by."""

from pathlib import Path

from embeddings.blend import Blend
from embeddings.shelf import Shelf
from tests.bundles import publish
from training.contest.in_use import parameters_of
from training.weighting import ModelParameters


def test_a_bundle_from_before_the_level_of_habits_is_judged_without_it(tmp_path: Path) -> None:
    blend = {k: v for k, v in Blend().as_document().items() if k != "known_weight"}
    old = {**ModelParameters().as_document(), "blend": blend}

    found = parameters_of(publish(Shelf(tmp_path, "demo"), parameters=old))

    assert found is not None
    assert found.blend == Blend(known_weight=0.0)
