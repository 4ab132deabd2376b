"""Files of events, in the form of ``POST /v1/events``, batch by batch.

Most events were served and no more: types that nobody asked for are dropped as they are read.
"""

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from training.errors import BadInputError
from training.lines import line_blocks
from training.parquet import row_batches, schema_of

NEEDED = ("event_id", "type", "cardholder_id", "occurred_at")
OPTIONAL = ("item_id", "transaction")
COLUMNS = (*NEEDED, *OPTIONAL)
SUFFIXES = frozenset({".parquet", ".ndjson", ".jsonl"})
INSTANT = pl.Datetime("us", "UTC")
POSITION = "position"
CODED = ("type", "item_id")
"""Columns of few texts: read as codes, since most rows are dropped."""
BATCH_ROWS = 50_000
Place = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """A batch of events.

    Parameters
    ----------
    rows : polars.DataFrame
        ``event_id, type, cardholder_id, occurred_at, item_id, transaction``; the wanted types only.
    through : (int, int) or None
        The furthest place of an event of any type in the issuer's stream, its milliseconds and
        its number; None where no event tells its place.
    """

    rows: pl.DataFrame
    through: Place | None


def event_files(path: Path) -> list[Path]:
    """A file, or all files of a folder that may hold events, in order of their names.

    Raises
    ------
    BadInputError
        There is no such file, or one of another kind.
    """
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file or folder of events")
    if path.is_dir():
        return sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES and f.is_file())
    if path.suffix not in SUFFIXES:
        raise BadInputError(f"{path}: expected events as .parquet or .ndjson")
    return [path]


def event_batches(path: Path, types: Collection[str]) -> Iterator[Events]:
    """Events of some types, of a file or folder.

    Raises
    ------
    BadInputError
        Names the file, and the column that is missing or of another type.
    """
    for file in event_files(path):
        try:
            of_file = _of_parquet if file.suffix == ".parquet" else _of_lines
            yield from of_file(file, types)
        except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
            raise BadInputError(f"{file}: not readable as events ({error})") from error


def _of_parquet(file: Path, types: Collection[str]) -> Iterator[Events]:
    names = _present(file, schema_of(file).names)
    wanted = pa.array(sorted(types), pa.string())
    for batch in row_batches(file, names, n_rows=BATCH_ROWS, coded=CODED):
        is_wanted = pc.is_in(batch["type"], wanted)
        through = _furthest(pl.DataFrame(batch.select(_present_of([POSITION], names))))
        yield Events(_typed(pl.DataFrame(_uncoded(batch.filter(is_wanted)))), through)


def _uncoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same with texts in place of codes."""
    columns = [
        one.dictionary_decode() if pa.types.is_dictionary(one.type) else one
        for one in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _of_lines(file: Path, types: Collection[str]) -> Iterator[Events]:
    for block in line_blocks(file):
        if not block.strip():
            continue
        batch = pl.read_ndjson(io.BytesIO(block), infer_schema_length=None)
        batch = batch.select(_present(file, batch.columns))
        rows = batch.filter(pl.col("type").is_in(sorted(types)))
        yield Events(_typed(rows), _furthest(batch))


def _present(file: Path, columns: list[str]) -> list[str]:
    """Columns to read; BadInputError when one is missing that must be there."""
    if missing := [name for name in NEEDED if name not in columns]:
        found = ", ".join(columns)
        raise BadInputError(f"{file}: column {', '.join(missing)} is missing; found {found}")
    return [*NEEDED, *_present_of([*OPTIONAL, POSITION], columns)]


def _present_of(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    return [name for name in names if name in columns]


def _furthest(batch: pl.DataFrame) -> Place | None:
    """The furthest place in the stream; positions are ``milliseconds-number``."""
    if POSITION not in batch.columns or batch[POSITION].null_count() == batch.height:
        return None
    words = pl.col(POSITION).drop_nulls().str.split_exact("-", 1)
    places = batch.select(
        words.struct[place].cast(pl.UInt64()).alias(name)
        for place, name in enumerate(("milliseconds", "number"))
    )
    latest = places.filter(pl.col("milliseconds") == pl.col("milliseconds").max())
    milliseconds, number = latest.max().row(0)
    return milliseconds, number


def _instant(batch: pl.DataFrame) -> pl.Expr:
    """The column ``occurred_at`` in our type."""
    value = pl.col("occurred_at")
    if batch.schema["occurred_at"] == pl.String():
        value = value.str.to_datetime("%+", time_unit="us", time_zone="UTC")
    return value.cast(INSTANT)


def _typed(batch: pl.DataFrame) -> pl.DataFrame:
    """The columns of :class:`Events`; those that the file lacks are nulls."""
    kept = {name: pl.col(name) if name in batch.columns else pl.lit(None) for name in COLUMNS}
    kept["occurred_at"], kept["item_id"] = _instant(batch), kept["item_id"].cast(pl.String)
    return batch.select(value.alias(name) for name, value in kept.items())
