"""What a room says at its door of the files in it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"``(\w+)``")


def rooms_in(folder: Path) -> set[str]:
    """Names of the modules and packages of a package."""
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    return files | {path.parent.name for path in folder.glob("*/__init__.py")}


def told_at(door: Path) -> set[str]:
    return set(NAME.findall(ast.get_docstring(ast.parse(door.read_text())) or ""))


DOORS = [
    door
    for package in ("embeddings", "training", "recsvc")
    for door in sorted((ROOT / package).rglob("__init__.py"))
    if told_at(door) & rooms_in(door.parent)
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: str(door.parent.relative_to(ROOT)))
def test_a_room_that_names_its_files_names_just_those_that_are_there(door: Path) -> None:
    assert told_at(door) == rooms_in(door.parent)


def test_most_rooms_of_many_files_name_them() -> None:
    assert len(DOORS) > 15
