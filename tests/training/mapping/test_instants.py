from datetime import UTC, datetime

import polars as pl
import pytest

from training.mapping.instants import read_instants


def read(values: pl.Series, *formats: str, zone: str = "UTC") -> list[datetime | None]:
    expr = read_instants(pl.col("v"), values.dtype, formats, zone)
    return values.to_frame("v").select(expr).to_series().to_list()


@pytest.mark.parametrize("text", ["01/07/2019", "1/7/2019", " 01/07/2019 "])
@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Shanghai", "America/Los_Angeles"])
def test_a_date_keeps_its_date_in_utc_whatever_the_zone(text: str, zone: str) -> None:
    found = read(pl.Series([text]), "%d/%m/%Y", zone=zone)[0]

    assert found is not None
    assert found.date().isoformat() == "2019-07-01"


def test_a_local_time_becomes_its_instant() -> None:
    found = read(pl.Series(["2024-07-01 10:00:00"]), zone="Asia/Shanghai")

    assert found == [datetime(2024, 7, 1, 2, tzinfo=UTC)]


def test_an_offset_in_the_text_wins_over_the_zone() -> None:
    found = read(
        pl.Series(["2024-07-01T10:00:00+02:00", "2024-07-01T10:00:00Z"]), zone="Asia/Tokyo"
    )

    assert found == [datetime(2024, 7, 1, 8, tzinfo=UTC), datetime(2024, 7, 1, 10, tzinfo=UTC)]


def test_clock_changes_are_decided() -> None:
    twice, never = "2024-10-27 01:30:00", "2024-03-31 01:30:00"
    found = read(pl.Series([twice, never]), zone="Europe/London")

    assert found == [
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    ]


def test_the_first_format_that_fits_reads_a_value() -> None:
    found = read(pl.Series(["20240102", "02.01.2024 13:05", "x"]), "%Y%m%d", "%d.%m.%Y %H:%M")

    assert [at and at.hour for at in found] == [12, 13, None]


def test_a_year_of_two_digits_is_read_by_the_format_that_has_two() -> None:
    found = read(pl.Series(["01/03/2024", "1/3/24", "1/3/99"]), "%d/%m/%Y", "%d/%m/%y")

    assert [at and at.date().isoformat() for at in found] == [
        "2024-03-01",
        "2024-03-01",
        "1999-03-01",
    ]


def test_a_year_of_two_digits_stays_visible_where_no_format_has_two() -> None:
    assert [at and at.year for at in read(pl.Series(["1/3/24"]), "%d/%m/%Y", "%Y")] == [24]


def test_epochs_dates_and_date_times_are_read() -> None:
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)

    assert read(pl.Series([1_700_000_000]), "epoch_s") == [at]
    assert read(pl.Series(["1700000000000"]), "epoch_ms") == [at]
    assert read(pl.Series([at.replace(tzinfo=None)])) == [at]
    assert read(pl.Series([at.date()]))[0] == datetime(2023, 11, 14, 12, tzinfo=UTC)


def test_a_day_that_does_not_exist_is_not_read() -> None:
    assert read(pl.Series(["31/02/2024"]), "%d/%m/%Y") == [None]
