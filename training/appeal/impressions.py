"""Who saw which item, and what came of it: one row a pair of cardholder and item."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embeddings.catalog import Catalog
from embeddings.interactions import EventType
from embeddings.vocabulary import Vocabulary
from training.ahead import read_ahead
from training.matrix.events import BATCH_ROWS, event_batches, event_files
from training.parquet import row_batches, schema_of, shared_values

SEEN, LOOKED_INTO, TAKEN_UP = 1, 2, 4
TOLD_BY = {
    EventType.SERVED: 0,
    EventType.VIEWED: SEEN,
    EventType.DISMISSED: SEEN,
    EventType.CLICKED: SEEN | LOOKED_INTO,
    EventType.ACTIVATED: SEEN | LOOKED_INTO | TAKEN_UP,
    EventType.REDEEMED: SEEN | LOOKED_INTO | TAKEN_UP,
}
"""What each type of event says of a pair, in bits."""

NAMES = ("type", "cardholder_id", "item_id")
AT_ONCE = 100_000
BITS, ITEM_BITS = 3, 29
"""An answer is one number: the cardholder's row above, the item's row, then what it tells."""

Answers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Impressions:
    """Pairs of a cardholder and an item that he saw, in ascending order of (cardholder, item).

    Parameters
    ----------
    cardholders, items : int64, shape (n,)
        Rows of the model's cardholders and of its catalogue.
    looked_into, taken_up : bool, shape (n,)
        Whether he clicked it or more; whether he activated or redeemed it.
    """

    cardholders: NDArray[np.int64]
    items: NDArray[np.int64]
    looked_into: NDArray[np.bool_]
    taken_up: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.items.size)

    def where(self, kept: NDArray[np.bool_ | np.integer]) -> "Impressions":
        """Those of the mask, or those at the places, in their order."""
        return self.each(lambda column: column[kept])

    def each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> "Impressions":
        """The same rows of every column as it is after a change."""
        columns = (self.cardholders, self.items, self.looked_into, self.taken_up)
        return Impressions(*map(change, columns))


def read_impressions(
    path: Path, cardholders: Vocabulary, catalog: Catalog, *, max_cardholders: int
) -> Impressions:
    """Impressions of a log of responses: a parquet or NDJSON file, or a folder of them.

    An item that was served and not even viewed tells nothing, so where the log has views only
    what was viewed counts; a log without any view counts what was served.

    Parameters
    ----------
    path : Path
        Checked before by :func:`training.matrix.open_inputs`.
    cardholders : Vocabulary
        Others are left out.
    catalog : Catalog
    max_cardholders : int
        Only the first so many rows; rows are in the order of a keyed hash, so they are a sample.
    """
    words = {
        "type": [event.value for event in TOLD_BY],
        "cardholder_id": list(islice(cardholders, max_cardholders)),
        "item_id": [item.item_id for item in catalog.items],
    }
    known = {name: _Known(of_name) for name, of_name in words.items()}
    answers = _together(_answers(batch, known) for batch in read_ahead(_batches(path)))
    return Impressions(
        answers >> (BITS + ITEM_BITS),
        answers >> BITS & ((1 << ITEM_BITS) - 1),
        (answers & LOOKED_INTO) > 0,
        (answers & TAKEN_UP) > 0,
    )


def _batches(path: Path) -> Generator[pa.RecordBatch]:
    """What the files say of type, cardholder and item; texts of parquet as codes."""
    for file in event_files(path):
        if file.suffix != ".parquet":
            for events in event_batches(file, [event.value for event in TOLD_BY]):
                yield from events.rows.select(NAMES).to_arrow().to_batches()
        elif set(NAMES) <= set(schema_of(file).names):
            yield from row_batches(file, NAMES, n_rows=BATCH_ROWS, coded=NAMES)


class _Known:
    """Texts that count, by their places; those of a coded column are looked up once.

    Parameters
    ----------
    texts : each once
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = pa.array(texts, pa.string())
        self._last: tuple[pa.Array | None, NDArray[np.int64]] = None, np.empty(0, np.int64)

    def places(self, texts: pa.Array) -> NDArray[np.int64]:
        """Place of each text among those known, -1 for another and for none."""
        coded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
        of_value = self._of_values(coded.dictionary)
        return of_value.take(np.asarray(coded.indices.fill_null(len(of_value) - 1)))

    def _of_values(self, values: pa.Array) -> NDArray[np.int64]:
        """Place of each value of a dictionary, and one more, -1."""
        before, places = self._last
        n = shared_values(values, before)
        of_value = np.full(len(values) + 1, -1, np.int64)
        of_value[:n] = places[:n]
        if n < len(values):
            found = pc.index_in(values[n:].cast(pa.string()), value_set=self._texts)
            of_value[n:-1] = found.fill_null(-1)
        self._last = values, of_value
        return of_value


def _answers(batch: pa.RecordBatch, known: Mapping[str, _Known]) -> Answers:
    """Answers of one batch by cardholders and about items that are known, one a row."""
    kind, holder, item = (known[name].places(batch.column(name)) for name in NAMES)
    told = np.array([*TOLD_BY.values()], np.int64).take(kind)
    answers = holder << (BITS + ITEM_BITS) | item << BITS | told
    return _heard(answers[(kind >= 0) & (holder >= 0) & (item >= 0)])


def _heard(answers: Answers) -> Answers:
    """What was seen and more; all of it where nothing tells of seeing."""
    is_seen = (answers & SEEN) > 0
    return answers[is_seen] if is_seen.any() else answers


def _together(parts: Iterable[Answers]) -> Answers:
    """Each pair once, in ascending order, with all that is told of it."""
    known, new = np.empty(0, np.int64), list[Answers]()
    for part in parts:
        new.append(part)
        if sum(one.size for one in new) > max(known.size // 4, AT_ONCE):
            known, new = _merged([known, *new]), []
    return _merged([known, *new])


def _merged(parts: Sequence[Answers]) -> Answers:
    """Answers of several parts, the same pair's in one."""
    answers = _heard(np.concatenate(parts))
    answers.sort()
    starts = np.flatnonzero(np.diff(answers >> BITS, prepend=-1))
    return np.bitwise_or.reduceat(answers, starts) if answers.size else answers
