import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from training.benchmark import MOST_POPULAR, Question, read_trial, run
from training.cli import group
from training.errors import BadInputError
from training.presets import preset

DATA = Path(os.environ.get("RECSVC_DATA", Path(__file__).parents[3] / "shared" / "data"))
SMALL = replace(preset("places"), n_factors=8, iterations=10)


@pytest.fixture
def two_tastes(tmp_path: Path) -> tuple[Path, Path]:
    """Even users have even places, odd users odd ones; the test holds the one left out."""
    train, test = [], []
    for user in range(30):
        left_out = (2 * user + user) % 20
        left_out += (left_out + user) % 2
        left_out %= 20
        places = [p for p in range(user % 2, 20, 2) if p != left_out]
        train.append(" ".join(map(str, [user, *places])))
        test.append(f"{user} {left_out}")
    (tmp_path / "train.txt").write_text("\n".join(train) + "\n")
    (tmp_path / "test.txt").write_text("\n".join(test) + "\n")
    return tmp_path / "train.txt", tmp_path / "test.txt"


def test_the_place_left_out_is_found_first(two_tastes: tuple[Path, Path]) -> None:
    found = run(Question(train=two_tastes[0], test=two_tastes[1], k=1), SMALL)

    assert found.recall == 1.0
    assert found.ndcg == 1.0
    assert found.users == 30


def test_recall_is_over_all_test_items_and_ndcg_over_the_best_list(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a x y\nb x\nc x y z w\n")
    (tmp_path / "test.txt").write_text("b y z w\n")
    found = run(
        Question(train=tmp_path / "train.txt", test=tmp_path / "test.txt", k=1, model=MOST_POPULAR),
        SMALL,
    )

    assert found.recall == pytest.approx(1 / 3, abs=1e-6)
    assert found.ndcg == 1.0
    assert found.users == 1


def test_files_share_one_numbering_and_a_repeated_item_counts_once(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("u 7 7 3\n\nv\n")
    (tmp_path / "test.txt").write_text("w 9\n")
    trial = read_trial(tmp_path / "train.txt", tmp_path / "test.txt")

    assert trial.seen.toarray().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert trial.wanted.toarray().tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("text", "word"), [("", "no line"), ("u 1\nu 2\n", "two lines"), ("u\n", "no line")]
)
def test_a_file_that_is_not_one_line_a_user_is_refused(
    tmp_path: Path, text: str, word: str
) -> None:
    (tmp_path / "train.txt").write_text(text)
    (tmp_path / "test.txt").write_text("u 1\n")

    with pytest.raises(BadInputError, match=word):
        read_trial(tmp_path / "train.txt", tmp_path / "test.txt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"gone\.txt"):
        read_trial(tmp_path / "gone.txt", tmp_path / "gone.txt")


def test_an_unknown_preset_names_those_that_are() -> None:
    with pytest.raises(BadInputError, match="cards, places"):
        preset("magic")


def test_the_command_prints_the_promised_fields(two_tastes: tuple[Path, Path]) -> None:
    train, test = map(str, two_tastes)
    arguments = ["benchmark", "--train", train, "--test", test, "--k", "5", "--json"]
    answer = CliRunner().invoke(group, arguments)

    assert answer.exit_code == 0, answer.output
    document = json.loads(answer.stdout)
    assert sorted(document) == [
        "fit_seconds", "k", "ndcg", "parameters", "peak_rss_bytes", "recall", "users",
    ]  # fmt: skip
    assert document["k"] == 5


@pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's data is not here")
def test_most_popular_on_gowalla_gives_the_published_figures() -> None:
    folder = DATA / "gowalla"
    asked = Question(train=folder / "train.txt", test=folder / "test.txt", model=MOST_POPULAR)
    found = run(asked, SMALL)

    assert found.users == 29858
    assert np.round([found.recall, found.ndcg], 4).tolist() == [0.0416, 0.0317]
