"""The file of rankings: what is left out is as shipped, what is wrong is named."""

import json
from pathlib import Path

import pytest

from recsvc.domain.policy import RankingPolicy
from recsvc.settings import SettingsError
from recsvc.upkeep.rankings import read_rankings
from tests.service import run_command

TWO = """
[default]
exploration_bps = 200
[experiment]
name = "visits-1"
[[experiment.rankings]]
name = "visits"
share_bps = 3000
visit_weight = 0.3
max_per_merchant = "none"
promoted_positions = [2, 5]
[[experiment.rankings]]
name = "bold"
share_bps = 2000
exploration_bps = 1000
"""
OWN = """
[issuer.devon.default]
max_per_category = 2
[issuer."a.b".experiment]
name = "halves"
[[issuer."a.b".experiment.rankings]]
name = "half"
share_bps = 5000
"""


def a_file(folder: Path, text: str) -> Path:
    path = folder / "rankings.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_the_ranking_is_the_shipped_one() -> None:
    found = read_rankings(None)

    assert (found.default, found.experiment) == (RankingPolicy(), None)


def test_what_a_file_leaves_out_is_as_shipped(tmp_path: Path) -> None:
    found = read_rankings(a_file(tmp_path, TWO))

    assert found.default == RankingPolicy(exploration_bps=200)
    assert found.shares() == {"default": 5000, "visits": 3000, "bold": 2000}
    assert found.experiment is not None
    visits = found.experiment.arms[0].policy
    assert visits == RankingPolicy(
        name="visits", visit_weight=0.3, max_per_merchant=None, promoted_positions=(2, 5)
    )


def test_an_issuers_own_rankings_stand_in_place_of_the_others_as_a_whole(tmp_path: Path) -> None:
    own = (
        '[issuer.devon.default]\nmax_per_category = 2\n[issuer."a.b".experiment]\nname = "halves"\n'
    )
    arm = '[[issuer."a.b".experiment.rankings]]\nname = "half"\nshare_bps = 5000\n'
    found = read_rankings(a_file(tmp_path, TWO + own + arm))

    devon, other = found.for_issuer("devon"), found.for_issuer("a.b")
    assert (devon.default, devon.experiment) == (RankingPolicy(max_per_category=2), None)
    assert other.default == RankingPolicy()
    assert other.shares() == {"default": 5000, "half": 5000}
    assert found.for_issuer("demo").shares() == {"default": 5000, "visits": 3000, "bold": 2000}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[default", "rankings.toml: "),
        ("[defaults]", "defaults: Extra inputs"),
        ("[default]\nvisit_wieght = 1.0", "default.visit_wieght: Extra inputs"),
        ("[default]\nvisit_weight = -1.0", "default.visit_weight: "),
        ("[default]\nvisit_weight = nan", "default.visit_weight: "),
        ("[default]\nexploration_bps = 10001", "exploration_bps: 0 to 10000"),
        ("[default]\npromoted_positions = [5, 2]", "must ascend"),
        ("[default]\nmax_per_merchant = 0", "default.max_per_merchant"),
        ('[experiment]\nname = "x"\nrankings = []', "experiment.rankings: "),
        (TWO.replace("share_bps = 3000", "share_bps = 9000"), "more than 10000"),
        (TWO.replace("share_bps = 3000", "share_bps = 0"), "share_bps must be 1 to 10000"),
        (TWO.replace('"bold"', '"visits"'), "two rankings have one name"),
        (TWO.replace('"bold"', '"default"'), "an arm is named 'default'"),
        ("[issuer.devon.defaults]", "issuer.devon.defaults: Extra inputs"),
        ("[issuer.devon.issuer.demo]", "issuer.devon.issuer: Extra inputs"),
        ('[issuer."no id".default]', "issuer.no id"),
        ("[issuer.devon.default]\nexploration_bps = 10001", "issuer.devon: exploration_bps: 0 to"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, told: str) -> None:
    path = a_file(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        read_rankings(path)

    assert str(refused.value).startswith(str(path))
    assert told in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        read_rankings(tmp_path / "nowhere.toml")


def test_check_config_looks_into_the_file(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    bad = a_file(tmp_path, "[default]\nboost = 1.0")
    done = run_command(["check-config"], clean_environment, rankings=str(bad))

    assert done.returncode == 1
    assert "default.boost: Extra inputs" in done.stderr


def test_a_file_nested_beyond_reason_is_refused_by_its_name(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a = " + "[" * 5000 + "]" * 5000)

    with pytest.raises(SettingsError, match=r"rankings\.toml: is nested beyond reason"):
        read_rankings(path)


def test_the_command_shows_what_is_in_force_for_whom(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    path = a_file(tmp_path, TWO + OWN)
    done = run_command(["experiment", "show"], clean_environment, rankings=str(path))
    told = json.loads(done.stdout)

    assert told["experiment"] == "visits-1"
    assert [one["share_bps"] for one in told["rankings"]] == [5000, 3000, 2000]
    assert {who: one["experiment"] for who, one in told["issuers"].items()} == {
        "a.b": "halves",
        "devon": None,
    }
    assert told["issuers"]["devon"]["rankings"][0]["max_per_category"] == 2
