"""A catalogue as NDJSON: one benefit or merchant offer a line."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson
from pydantic import ValidationError

from embeddings.catalog.item import Item, item_document, parse_item
from embeddings.errors import CatalogError, KeyTwiceError, NotJsonError
from embeddings.identifying import Identifying, identifying, may_hold_many_digits
from embeddings.strict_json import read_strictly

MAX_LINE_BYTES = 64 * 1024
MAX_ITEMS = 200_000


@dataclass(frozen=True, slots=True)
class Catalog:
    """Items in ascending order of their id, each id once."""

    items: tuple[Item, ...] = ()
    _row_of: Mapping[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Self:
        """Catalogue of these items; CatalogError when an id comes twice."""
        ordered = tuple(sorted(items, key=lambda item: item.item_id))
        for one, other in itertools.pairwise(ordered):
            if one.item_id == other.item_id:
                raise CatalogError(f"two items have the id {one.item_id!r}; ids must be unique")
        return cls(ordered, {item.item_id: row for row, item in enumerate(ordered)})

    def __len__(self) -> int:
        return len(self.items)

    def row(self, item_id: str) -> int | None:
        """Row of an item, or None."""
        return self._row_of.get(item_id)

    def get(self, item_id: str) -> Item | None:
        """Item of an id, or None."""
        row = self.row(item_id)
        return None if row is None else self.items[row]


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a file, one without an end cut after ``MAX_LINE_BYTES`` and a bit.

    So a file of one endless line is refused by its length and never held.
    """
    return iter(lambda: stream.readline(MAX_LINE_BYTES + 2), b"")


def parse_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, Item]]:
    """Line number and item of each line that is not blank.

    Raises
    ------
    CatalogError
        At the first line that is no item, or holds a number that names a person; it names the
        line and each wrong field.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, parse_line(line, number)


def parse_line(line: bytes, number: int) -> Item:
    """Item of one line; CatalogError names the line and each wrong field."""
    if len(line) > MAX_LINE_BYTES:
        raise CatalogError(f"line {number}: longer than {MAX_LINE_BYTES} bytes")
    document = _read(line, number)
    if b"\\" in line or may_hold_many_digits(line):
        _refuse_numbers(document, number)
    try:
        return parse_item(document)
    except ValidationError as error:
        raise CatalogError(f"line {number}: {describe(error)}") from None


def _read(line: bytes, number: int) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a line that cannot be read in two ways."""
    try:
        return read_strictly(line)
    except KeyTwiceError:
        raise CatalogError(f"line {number}: a key comes twice in one object") from None
    except NotJsonError as error:
        raise CatalogError(f"line {number}: not JSON: {error}") from None


def _refuse_numbers(document: object, number: int) -> None:
    """CatalogError when a text or number of a line names a person; it says where, not which."""
    for field_name, found in _numbers_in(document, ""):
        raise CatalogError(
            f"line {number}: {field_name or 'item'}: holds what must not come in: {found.value}"
        )


def _numbers_in(value: object, name: str) -> Iterator[tuple[str, Identifying]]:
    """Field and kind of each number that names a person, in the order of the document.

    Mobile numbers have no check digit, so they are not looked for in ids of things.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers_in(key, "")
            yield from _numbers_in(part, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for part in value:
            yield from _numbers_in(part, name)
    elif isinstance(value, str | int | float):
        is_word = isinstance(value, str) and not name.endswith(("_id", "_ids"))
        if (found := identifying(str(value), mobiles=is_word)) is not None:
            yield name, found


OF_KIND = {
    "union_tag_not_found": "kind is missing; write benefit or merchant_offer",
    "union_tag_invalid": "kind must be benefit or merchant_offer",
    "model_attributes_type": "must be one JSON object",
}
"""What is told of an item whose kind cannot be seen, by pydantic's word for it."""


def describe(error: ValidationError) -> str:
    """One line that names each wrong field and why."""
    return "; ".join(
        f"{field_of(e['loc'])}: {OF_KIND.get(e['type'], e['msg'])}" for e in error.errors()
    )


def field_of(location: tuple[int | str, ...]) -> str:
    """Dotted name of a field; the kind by which the union chose is not part of it."""
    tagged = location and location[0] in ("benefit", "merchant_offer")
    return ".".join(map(str, location[1:] if tagged else location)) or "item"


def read_catalog(path: Path) -> Catalog:
    """Catalogue of an NDJSON file.

    Raises
    ------
    CatalogError
        Names the file and line of an item that is wrong or whose id came before.
    """
    seen: dict[str, int] = {}
    items: list[Any] = []
    try:
        with path.open("rb") as lines:
            for number, item in parse_lines(lines_of(lines)):
                _refuse_twin(seen, item.item_id, number)
                items.append(item)
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read: {error.strerror}") from error
    except CatalogError as error:
        raise CatalogError(f"{path}: {error}") from None
    return Catalog.of(items)


def _refuse_twin(seen: dict[str, int], item_id: str, number: int) -> None:
    """Remember an id; CatalogError when it or the catalogue's limit came before."""
    if item_id in seen:
        raise CatalogError(
            f"line {number}: id {item_id!r} came on line {seen[item_id]}; remove one"
        )
    if len(seen) >= MAX_ITEMS:
        raise CatalogError(f"line {number}: more than {MAX_ITEMS} items")
    seen[item_id] = number


def write_catalog(path: Path, catalog: Catalog) -> None:
    """Write one line an item, in order of their ids."""
    with path.open("wb") as lines:
        for item in catalog.items:
            lines.write(orjson.dumps(item_document(item), option=orjson.OPT_SORT_KEYS) + b"\n")
