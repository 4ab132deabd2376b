"""From codes of the ledger and responses to contacts with rows and columns of the model."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from training.ahead import in_order
from training.errors import BadInputError
from training.matrix.contacts import CONTACT, KINDS, MAX_GROUPS
from training.matrix.forgotten import Forgotten
from training.matrix.inputs import Inputs
from training.matrix.ledger import GROUPS, Ledger, Rows
from training.matrix.spool import Arranged, Spool
from training.matrix.survey import Survey, texts_of
from training.usage import Batch, Text

TEXT = pa.large_string()
AT_ONCE = 200_000
GROUP_FIELDS = dict(zip(GROUPS, ("product", "city", "segment"), strict=True))
RESPONSES = {event.value: n for n, (event, _) in enumerate(KINDS) if n >= 2}


def spool_contacts(inputs: Inputs, found: Survey, forgotten: Forgotten | None = None) -> Spool:
    """Write every contact that counts, of the ledger and of the responses.

    Declined transactions, responses that never make a cell and contacts of the erased are left
    out, and contacts with a column that the cardholder deleted since.

    Raises
    ------
    BadInputError
        A column that should name groups of cardholders names too many.
    """
    _check_groups(found)
    spool = Spool.open(len(found.cardholders), found.transactions + inputs.contacts.height)
    numbers, answers = Numbers.of(inputs.ledger, found), _Answers.of(found)

    def kept(contacts: NDArray[np.void]) -> Arranged:
        if forgotten is not None:
            forgotten.leave_out(contacts)
        return spool.arranged(contacts)

    try:
        usage = inputs.ledger.parts(AT_ONCE)
        for arranged in in_order(lambda rows: kept(numbers.contacts(rows)), usage):
            spool.write(arranged)
        for some in inputs.contacts.iter_slices(AT_ONCE):
            spool.write(kept(answers.contacts(some)))
    except BaseException:
        spool.__exit__(None, None, None)
        raise
    return spool


def _check_groups(found: Survey) -> None:
    for name, values in found.groups.items():
        if len(values) > MAX_GROUPS:
            raise BadInputError(
                f"usage: column {name} has {len(values):,} values, more than {MAX_GROUPS:,}; "
                "it should name a group of cardholders"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """What the codes of a ledger stand for in the model.

    Parameters
    ----------
    of_code : dict of str to int32, shape (n_codes + 1,)
        By field of a contact, number of each code; -1 where it has none, and last, for code -1.
    """

    of_code: dict[str, NDArray[np.int32]]

    @classmethod
    def of(cls, ledger: Ledger, found: Survey) -> Self:
        """Numbers of everything the ledger has."""
        texts, columns = ledger.texts, found.columns
        everyone = texts_of(found.cardholders)
        groups = {
            field: _numbers(texts[name], pa.array(found.groups[name], TEXT))
            for name, field in GROUP_FIELDS.items()
        }
        return cls(
            {
                "cardholder": _numbers(texts["cardholder_id"], everyone),
                "column": _rows_of(texts["merchant_id"], columns, ColumnKind.MERCHANT),
                "category": _rows_of(texts["category"], columns, ColumnKind.CATEGORY),
                **groups,
            }
        )

    def contacts(self, rows: Rows) -> NDArray[np.void]:
        """Contacts of some rows; cardholder and kind are -1 where they do not count."""
        contacts = np.empty(rows["day"].size, CONTACT)
        contacts["day"], contacts["kind"] = rows["day"], rows["kind"]
        for field, name in CODE_OF_FIELD.items():
            contacts[field] = self.of_code[field].take(rows[name])
        return contacts


CODE_OF_FIELD = {
    "cardholder": "cardholder_id",
    "column": "merchant_id",
    "category": "category",
    **{field: name for name, field in GROUP_FIELDS.items()},
}


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """Turns responses into contacts, without category and groups.

    Parameters
    ----------
    everyone, columns, types : arrow array of large_string
        Texts of cardholder rows, of columns and of kinds of response.
    """

    everyone: pa.Array
    columns: pa.Array
    types: pa.Array

    @classmethod
    def of(cls, found: Survey) -> Self:
        return cls(
            texts_of(found.cardholders), texts_of(found.columns), pa.array([*RESPONSES], TEXT)
        )

    def contacts(self, answers: pl.DataFrame) -> NDArray[np.void]:
        """Contacts of some responses; -1 where cardholder, column or kind is not known."""
        kinds = np.array([*RESPONSES.values(), -1], np.int16)
        rows = np.full(answers.height, -1, CONTACT)
        rows["day"] = answers["day"].to_numpy()
        rows["cardholder"] = _numbers_of(answers["cardholder_id"], self.everyone)
        rows["column"] = _numbers_of(answers["column"], self.columns)
        rows["kind"] = kinds[_numbers_of(answers["type"], self.types)]
        return rows


def _numbers(texts: pa.Array, known: pa.Array) -> NDArray[np.int32]:
    """Place of each text among the known ones, -1 where it has none, and -1 after the last."""
    place = pc.index_in(texts, known).fill_null(-1)
    return np.append(np.asarray(place, np.int32), np.int32(-1))


def _rows_of(texts: pa.Array, columns: Vocabulary, kind: ColumnKind) -> NDArray[np.int32]:
    """Row of the column of each outside id, as :func:`_numbers`."""
    prefix, nothing = pa.scalar(column_id(kind, ""), TEXT), pa.scalar("", TEXT)
    named = pc.binary_join_element_wise(prefix, texts, nothing)
    return _numbers(named, texts_of(columns))


def _numbers_of(values: pl.Series, known: pa.Array) -> NDArray[np.int32]:
    """The same of a column of strings, categories or an enum, for each row."""
    text = _text_of(values)
    return np.asarray(_numbers(text.values.cast(TEXT), known)[text.codes], np.int32)


def _text_of(values: pl.Series) -> Text:
    column = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    return Batch(len(values), {values.name: column}).text(values.name)
