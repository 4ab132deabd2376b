"""``recsvc-train models`` on a shelf with three bundles."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from embeddings.shelf import Shelf
from tests.bundles import CREATED_AT, publish
from training.cli import group
from training.errors import TrainingError


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Three bundles, an hour apart; the last serves."""
    shelf = Shelf(tmp_path, "demo")
    for hour in range(3):
        publish(shelf, created_at=CREATED_AT + timedelta(hours=hour))
    return shelf


def models(shelf: Shelf, *arguments: str) -> dict[str, Any]:
    """JSON answer of a command."""
    where = ["--shelf", str(shelf.folder.parent), "--issuer", "demo", "--json"]
    result = CliRunner().invoke(group, ["models", *arguments, *where], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_list_marks_what_serves(shelf: Shelf) -> None:
    listed = models(shelf, "list")["models"]

    assert [entry["version"] for entry in listed] == shelf.versions()
    assert [entry["current"] for entry in listed] == [False, False, True]
    assert listed[0]["cardholders"] == 40


def test_an_empty_list_says_where_it_looked(shelf: Shelf) -> None:
    where = ["--shelf", str(shelf.folder.parent), "--issuer", "dmo"]
    result = CliRunner().invoke(group, ["models", "list", *where])

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"no bundle in {shelf.folder.parent / 'dmo'}\n"


def test_a_promoted_version_serves_and_a_rollback_returns(shelf: Shelf) -> None:
    first, _, last = shelf.versions()

    assert models(shelf, "promote", first) == {"current": first}
    assert models(shelf, "rollback") == {"current": last}
    assert shelf.current_version() == last


def test_a_pinned_version_keeps_serving_until_unpinned(shelf: Shelf) -> None:
    last = shelf.versions()[-1]
    models(shelf, "pin")
    publish(shelf, created_at=CREATED_AT + timedelta(hours=9))

    assert shelf.current_version() == last
    assert models(shelf, "list")["models"][2]["pinned"]

    models(shelf, "unpin")
    newest = publish(shelf, created_at=CREATED_AT + timedelta(hours=10)).version

    assert shelf.current_version() == newest


def test_prune_spares_the_current_and_the_one_before(shelf: Shelf) -> None:
    first = shelf.versions()[0]

    assert models(shelf, "prune", "--keep", "1") == {"removed": []}
    assert models(shelf, "prune", "--keep", "1", "--min-age-hours", "0") == {"removed": [first]}
    assert len(shelf.versions()) == 2


def test_show_verifies_every_file(shelf: Shelf) -> None:
    assert models(shelf, "show")["version"] == shelf.current_version()

    damaged = shelf.folder / "versions" / shelf.versions()[-1] / "columns.npy"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)

    with pytest.raises(TrainingError, match=r"columns.npy is damaged"):
        models(shelf, "show")


def test_an_unknown_version_is_refused_in_one_sentence(shelf: Shelf) -> None:
    with pytest.raises(TrainingError, match="no such version"):
        models(shelf, "promote", "../../etc/passwd")
