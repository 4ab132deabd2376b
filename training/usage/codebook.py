"""Texts as numbers over a whole table: each distinct text is looked up, and looked at, once."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from training.parquet import shared_values
from training.usage.batches import Batch, Text
from training.usage.schema import OPTIONAL, REQUIRED

CODED = tuple(
    name
    for name, kind in {**REQUIRED, **OPTIONAL}.items()
    if kind == pl.String() and name not in {"transaction_id", "currency", "status", "channel"}
)
"""Columns of text that are remembered; of the others either every value is new or none is."""


class Codebook:
    """Distinct texts of one column and their codes, which count up in the order they were met."""

    def __init__(self) -> None:
        self._known = pl.Categories.random()
        self._keeps = pl.Series(dtype=pl.Categorical(self._known))
        self._size = 0
        self._last: tuple[pa.Array | None, NDArray[np.int32]] = None, np.empty(0, np.int32)

    def codes(self, text: Text) -> tuple[NDArray[np.int32], pa.Array]:
        """Code of each row's text, and the texts that no batch had before.

        Returns
        -------
        codes : int32, shape (n_rows,); -1 where there is no text
        fresh : arrow array of text
        """
        of_value = self._of_last(text.values)
        found = of_value.take(text.codes)
        new = text.met(found < 0)
        if not new.size:
            return found, text.values[:0]
        values = text.values.take(pa.array(new))
        of_new = self._looked_up(values)
        fresh = values.filter(pa.array(of_new >= self._size))
        self._size = max(self._size, int(of_new.max()) + 1)
        of_value[new] = of_new
        self._last = text.values, of_value
        return of_value.take(text.codes), fresh

    def _of_last(self, values: pa.Array) -> NDArray[np.int32]:
        """Codes of the values that the last batch had too, -1 for others; one more, -1."""
        of_value = np.full(len(values) + 1, -1, np.int32)
        before, codes = self._last
        n = shared_values(values, before)
        of_value[:n] = codes[:n]
        return of_value

    def _looked_up(self, values: pa.Array) -> NDArray[np.int32]:
        """Code of each text; a new one gets the next."""
        found = pl.Series(values).cast(pl.Categorical(self._known)).to_physical()
        return np.asarray(found.to_numpy(), np.int32)

    def texts(self) -> pa.Array:
        """Every text met, large_string, in the order of their codes."""
        codes = pl.Series(np.arange(self._size, dtype=np.uint32))
        texts = codes.cat.to(pl.Categorical(self._known)).cast(pl.String())
        found: pa.Array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
        return found

    def __len__(self) -> int:
        return self._size


@dataclass(frozen=True, slots=True, eq=False)
class CodedBatch:
    """A batch with its texts as codes of the whole table's codebooks.

    Parameters
    ----------
    batch : Batch
    codes : dict of str to int32, shape (n_rows,)
        Of the coded columns that the table has; -1 where there is no text.
    fresh : dict of str to arrow array of text
        Texts of the same columns that no earlier batch had.
    """

    batch: Batch
    codes: dict[str, NDArray[np.int32]]
    fresh: dict[str, pa.Array]

    def column(self, name: str) -> NDArray[np.int32]:
        """Codes of a column; all -1 where the table lacks it."""
        found = self.codes.get(name)
        return np.full(self.batch.height, -1, np.int32) if found is None else found


class Codebooks:
    """One codebook for each coded column."""

    def __init__(self) -> None:
        self._books = {name: Codebook() for name in CODED}

    def code(self, batch: Batch) -> CodedBatch:
        """The batch in codes; its new texts are remembered."""
        present = [name for name in CODED if name in batch.columns]
        found = {name: self._books[name].codes(batch.text(name)) for name in present}
        return CodedBatch(
            batch,
            {name: codes for name, (codes, _) in found.items()},
            {name: fresh for name, (_, fresh) in found.items()},
        )

    def size(self, name: str) -> int:
        """How many distinct texts a column had so far."""
        return len(self._books[name])

    def texts(self, name: str) -> pa.Array:
        """Distinct texts of a column, large_string, in the order of their codes."""
        return self._books[name].texts()
