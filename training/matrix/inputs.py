"""What one training run reads: card usage, responses, profiles and the catalogue."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import polars as pl

from embeddings.catalog import Catalog, read_catalog
from embeddings.errors import CatalogError
from embeddings.interactions import EventWeights
from training.errors import BadInputError
from training.matrix.ledger import Bookkeeper, Ledger, no_usage
from training.matrix.profiles import read_profiles
from training.matrix.responses import (
    CONTACT_SCHEMA,
    Responses,
    no_responses,
    read_responses,
    unseen,
)
from training.memory import give_back
from training.usage import Table

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything a run reads, checked.

    Parameters
    ----------
    usage : tuple of Table
        Canonical columns; archived transactions come last.
    ledger : Ledger
        All rows of the same tables as codes, on disk.
    contacts : polars.DataFrame
        Responses on items: ``cardholder_id, column, type, day``; no rows when there are none.
    profiles : polars.DataFrame or None
        ``cardholder_id, products, city`` of issuers that hand profiles over.
    catalog : Catalog
    fingerprint : str
        sha256 over the bytes of all files, in the order given.
    unknown_items : int
        Responses left out because the catalogue does not know their item.
    events_through : str or None
        The furthest place in the issuer's stream of events that was read, as
        ``milliseconds-number``: serving folds in what lies beyond it, and that only.
    """

    usage: tuple[Table, ...]
    ledger: Ledger
    contacts: pl.DataFrame
    profiles: pl.DataFrame | None
    catalog: Catalog
    fingerprint: str
    unknown_items: int
    events_through: str | None

    def spent(self) -> Self:
        """The same without the ledger and the responses, once they are spooled."""
        return replace(self, ledger=no_usage(), contacts=pl.DataFrame(schema=CONTACT_SCHEMA))


def open_inputs(
    usage: Sequence[Path],
    catalog: Path,
    events: Path | None,
    profiles: Path | None,
    rule: EventWeights,
) -> Inputs:
    """Open and check all files of a run; what is beside the usage is read while the usage is.

    Raises
    ------
    BadInputError
        Names the file, and the line, column or row that is wrong.
    """
    known = _catalog(catalog)
    files = [*usage, catalog, *(p for p in (events, profiles) if p is not None)]
    with ThreadPoolExecutor(1) as beside:
        responses = beside.submit(_responses, events, known, rule)
        told = beside.submit(_profiles, profiles)
        digest = beside.submit(fingerprint, files)
        tables, ledger = _usage(usage, lambda: responses.result().transactions)
    give_back()
    return Inputs(
        tables,
        ledger,
        responses.result().contacts,
        told.result(),
        known,
        digest.result(),
        responses.result().unknown_items,
        responses.result().through,
    )


def _responses(events: Path | None, known: Catalog, rule: EventWeights) -> Responses:
    return no_responses() if events is None else read_responses(events, known, rule)


def _profiles(path: Path | None) -> pl.DataFrame | None:
    return None if path is None else read_profiles(path)


def _usage(
    paths: Sequence[Path], archived: Callable[[], pl.DataFrame]
) -> tuple[tuple[Table, ...], Ledger]:
    """All usage, archived transactions that no file holds last."""
    with Bookkeeper() as keeper:
        tables = [keeper.read(path) for path in paths]
        new = unseen(archived(), [table.frame for table in tables])
        if not new.is_empty():
            tables.append(Table(new.lazy()))
            keeper.take(tables[-1])
        return tuple(tables), keeper.closed()


def _catalog(path: Path) -> Catalog:
    try:
        return read_catalog(path)
    except CatalogError as error:
        raise BadInputError(str(error)) from error


def fingerprint(paths: Sequence[Path]) -> str:
    """sha256 over the bytes of all files, in the order given; a folder's by their names."""
    digest = hashlib.sha256()
    for path in paths:
        for chunk in _chunks(path):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in (f for f in files if f.is_file()):
        with file.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                yield chunk
