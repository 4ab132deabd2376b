"""What a mapping says: where the rows are and which of their columns becomes which of ours."""

from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from training.mapping.amounts import AmountRule
from training.mapping.merchants import MerchantRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files and how they are written.

    Parameters
    ----------
    format : {"csv", "parquet"}
        One for all files.
    files : tuple of str
        Patterns below the folder of the mapping, of ``--source`` or of ``package``.
    package : str or None
        An installed Python package that carries the files.
    encoding, delimiter, quote : str
        Of csv files; a byte order mark is taken off whatever the encoding. No quote is "".
    names : tuple of str
        Column names of csv files without a header.
    skip_lines : int
        Lines before the header.
    currency : str or None
        Of all rows, unless a column says it.
    timezone : str
        Zone of times without an offset.
    null_values : frozenset of str
        Texts that mean "missing", besides nothing.
    file_column : str or None
        Column with the name of the file a row came from before files were stacked.
    max_rows : int
        More rows than this, and the job stops before it reads them.
    """

    format: Literal["csv", "parquet"]
    files: tuple[str, ...]
    package: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    names: tuple[str, ...] = ()
    skip_lines: int = 0
    currency: str | None = None
    timezone: str = "UTC"
    null_values: frozenset[str] = frozenset()
    file_column: str | None = None
    max_rows: int = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where one of our columns comes from.

    Parameters
    ----------
    columns : tuple of str
        Spellings of one source column, the first one present with a value counts; or, with
        ``combine``, the columns that are put together.
    combine : bool
        Put all ``columns`` together, with ``separator`` between.
    fill : str or None
        Stands for a missing part of a combination; without it such a row has no value.
    remove : tuple of str
        Regular expressions; what they find is taken out.
    patterns : tuple of str
        Regular expressions with a group; the first that is found gives the value, and where
        none is, the whole text stays.
    prefix : str
        Put before the value.
    formats : tuple of str
        How instants are written.
    id_rule : {"slug", "hash"}
        What an id becomes that does not match our pattern: a slug with a check, or a keyed hash.
        ``hash`` is applied to all values.
    """

    columns: tuple[str, ...]
    combine: bool = False
    separator: str = "_"
    fill: str | None = None
    remove: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    prefix: str = ""
    formats: tuple[str, ...] = ()
    id_rule: Literal["slug", "hash"] = "slug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A small table whose columns join the rows by an equal key."""

    file: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """When a row, or the whole job, is refused.

    Parameters
    ----------
    max_rejected_share : float
        More rejected rows than this share of those read, duplicates aside, stop the job.
    earliest_at : datetime
        Rows before it are typing errors.
    never_card_numbers : frozenset of str
        Our columns that hold long numbers by design and are not searched for card numbers.
    """

    max_rejected_share: float = 0.05
    earliest_at: datetime
    never_card_numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """What counts as the same row twice.

    Parameters
    ----------
    across_files : bool
        A row that repeats one of another file (equal date, cardholder, merchant, amount) is
        dropped: files of neighbouring periods overlap.
    within_file : bool
        So is one that repeats a row of its own file. Off: two equal lines of one statement are
        two purchases.
    """

    across_files: bool = True
    within_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Everything a mapping file says, checked.

    Parameters
    ----------
    name : str
        For messages: the file's name.
    columns : Table of str to Column
        Our column name → where it comes from; ``amount`` and ``amount_minor`` stand for
        ``amount_minor``.
    amount : AmountRule
        How amounts are written.
    values : Table of str to Table
        Source column → (its value, folded → the value to use).
    categories : Table of str to str
        Category, folded → MCC, for rows without one.
    """

    name: str
    source: Source
    columns: Table[str, Column]
    amount: AmountRule
    checks: Checks
    duplicates: Duplicates = field(default_factory=Duplicates)
    values: Table[str, Table[str, str]] = field(default_factory=dict)
    categories: Table[str, str] = field(default_factory=dict)
    lookups: tuple[Lookup, ...] = ()
    merchants: MerchantRules = field(default_factory=MerchantRules)

    def used_columns(self) -> tuple[str, ...]:
        """Every source column that any of ours is made of, each once, in order."""
        names = [name for column in self.columns.values() for name in column.columns]
        names += [lookup.on for lookup in self.lookups]
        if self.source.file_column:
            names.append(self.source.file_column)
        return tuple(dict.fromkeys(names))
