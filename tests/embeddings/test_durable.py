"""A file is replaced whole or not at all."""

import threading
from pathlib import Path

import pytest

from embeddings.durable import replace_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_and_made_anew_without_a_trace_of_the_way(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    replace_file(path, b"old")
    replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["CURRENT"]


def test_what_cannot_be_replaced_stays_and_no_draft_is_left(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").mkdir()
    (tmp_path / "CURRENT" / "kept").touch()

    with pytest.raises(OSError, match="CURRENT"):
        replace_file(tmp_path / "CURRENT", b"new")
    assert names(tmp_path) == ["CURRENT"]
    assert names(tmp_path / "CURRENT") == ["kept"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "gone" / "CURRENT", b"new")


def test_who_reads_meanwhile_finds_one_content_or_the_other(tmp_path: Path) -> None:
    path, whole = tmp_path / "CURRENT", (b"a" * 50_000, b"b" * 50_000)
    replace_file(path, whole[0])
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            replace_file(path, whole[number % 2])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    found = {path.read_bytes()}
    while not done.is_set():
        found.add(path.read_bytes())
    thread.join()

    assert found <= {*whole}
