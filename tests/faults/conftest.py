"""One world for all faults."""

from collections.abc import Iterator

import pytest

from tests.faults.world import World, a_world


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all faults: each must leave it whole."""
    with a_world(tmp_path_factory.mktemp("faults")) as world:
        yield world
