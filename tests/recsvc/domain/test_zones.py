import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recsvc.domain.zones import Zones, is_zone

ZONES = Zones.named("Asia/Shanghai", {"devon": "Europe/London"})


@pytest.mark.parametrize("name", ["Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT-8"])
def test_names_of_the_iana_table_are_zones(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    ["", "Asia", "Mars/Base", "../../etc/passwd", "/etc/localtime", "Asia/Shanghai ", "localtime",
     "posixrules", "Factory", "UTC+8", "+08:00", "Asia/\u4e0a\u6d77", "Asia/Shang\x00hai",],
)  # fmt: skip
def test_folders_paths_offsets_and_the_machines_own_are_no_zones(name: str) -> None:
    assert not is_zone(name)


@pytest.fixture
def leaping(tmp_path: Path) -> Iterator[None]:
    """A table that has every zone again in folders of its own, as many machines' have."""
    before = zoneinfo.TZPATH
    for folder in ("right", "posix", "Here"):
        (tmp_path / folder).mkdir()
        for known in before:
            if (Path(known) / "UTC").is_file():
                (tmp_path / folder / "UTC").write_bytes((Path(known) / "UTC").read_bytes())
    zoneinfo.reset_tzpath([tmp_path])
    yield
    zoneinfo.reset_tzpath(before)


@pytest.mark.usefixtures("leaping")
def test_zones_that_count_leap_seconds_and_second_copies_are_none() -> None:
    assert [name for name in ("Here/UTC", "right/UTC", "posix/UTC") if is_zone(name)] == [
        "Here/UTC"
    ]


def test_his_own_zone_comes_before_his_issuers_and_that_before_the_installations() -> None:
    assert ZONES.of("devon", "America/New_York") == ZoneInfo("America/New_York")
    assert ZONES.of("devon", None) == ZoneInfo("Europe/London")
    assert ZONES.of("demo", None) == ZoneInfo("Asia/Shanghai")


def test_a_name_that_this_machine_does_not_know_counts_as_none() -> None:
    assert ZONES.of("devon", "Mars/Base") == ZoneInfo("Europe/London")
