"""What is kept of a log of responses, and what is read past."""

from pathlib import Path

import polars as pl
import pytest

from embeddings.interactions import EventWeights
from tests.bundles import a_catalog, an_offer
from tests.training.worlds import an_event, write_lines
from training.errors import BadInputError
from training.matrix.responses import read_responses

CATALOG = a_catalog(an_offer("offer_1"), an_offer("offer_2"))
TYPES = ("served", "viewed", "clicked", "activated", "redeemed", "dismissed")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """One event of each type, one twice, and one with an item nobody knows."""
    path = tmp_path / "log.ndjson"
    events = [an_event(n, "ch_1", "offer_1", n, type=t) for n, t in enumerate(TYPES)]
    strange = an_event(90, "ch_1", "offer_9", 8)
    write_lines(path, [*events, events[3], strange, an_event(91, "ch_2", "offer_2", 9)])
    return path


def test_only_what_weighs_is_kept_and_each_event_once(log: Path) -> None:
    found = read_responses(log, CATALOG, EventWeights())

    assert found.contacts["type"].to_list() == ["clicked", "activated", "redeemed", "activated"]
    assert found.contacts["column"].unique().sort().to_list() == ["offer:offer_1", "offer:offer_2"]
    assert found.unknown_items == 1
    assert found.through is None  # nobody said where they stood in a stream


def test_views_are_kept_where_they_weigh(log: Path) -> None:
    found = read_responses(log, CATALOG, EventWeights(viewed=0.1, clicked=0.0))

    assert "viewed" in found.contacts["type"]
    assert "clicked" not in found.contacts["type"]


def test_a_folder_of_parquet_and_ndjson_is_one_log(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive" / "2025-01-01"
    folder.mkdir(parents=True)
    pl.read_ndjson(log).with_columns(
        pl.col("occurred_at").str.to_datetime("%+", time_zone="UTC")
    ).write_parquet(folder / "a.parquet")
    write_lines(folder / "b.ndjson", [an_event(200, "ch_3", "offer_1", 3)])

    found = read_responses(tmp_path / "archive", CATALOG, EventWeights())

    assert found.contacts.height == 5


@pytest.mark.parametrize("as_parquet", [True, False])
def test_the_furthest_place_in_the_stream_is_told_over_all_types_and_files(
    tmp_path: Path, *, as_parquet: bool
) -> None:
    places: tuple[list[str | None], ...] = (["900-7", "1000-9", None], ["1000-10", "999-99"])
    for number, positions in enumerate(places):
        events = [
            an_event(10 * number + n, "ch_1", "offer_1", n, type="served", position=place)
            for n, place in enumerate(positions)
        ]
        if as_parquet:
            pl.DataFrame(events).write_parquet(tmp_path / f"{number}.parquet")
        else:
            write_lines(tmp_path / f"{number}.ndjson", events)

    assert read_responses(tmp_path, CATALOG, EventWeights()).through == "1000-10"


def test_a_place_in_the_stream_that_is_none_is_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "x.ndjson", [an_event(1, "ch_1", "offer_1", 1, position="here")])

    with pytest.raises(BadInputError, match=r"x\.ndjson: not readable as events"):
        read_responses(tmp_path / "x.ndjson", CATALOG, EventWeights())


def test_a_log_without_a_column_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"event_id": ["e"], "type": ["served"]}).write_parquet(tmp_path / "x.parquet")

    with pytest.raises(BadInputError, match=r"x\.parquet: column cardholder_id, occurred_at"):
        read_responses(tmp_path / "x.parquet", CATALOG, EventWeights())


def test_a_log_that_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but no more")

    with pytest.raises(BadInputError, match=r"x\.parquet: not readable as events"):
        read_responses(tmp_path / "x.parquet", CATALOG, EventWeights())
