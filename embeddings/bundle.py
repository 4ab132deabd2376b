"""One model on disk: a folder that never changes, opened memory-mapped."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray

from embeddings.appeal import NAMES as APPEAL
from embeddings.appeal import Appeal
from embeddings.arrays import ARRAYS, OPTIONAL_ARRAYS, open_array, save_array
from embeddings.catalog import Catalog, read_catalog, write_catalog
from embeddings.compose import ColumnSpace, Composer, Composition
from embeddings.errors import BundleError, CatalogError
from embeddings.factors import Factors
from embeddings.manifest import MANIFEST, SIGNATURE, Canary, Manifest, entry_of, read_limited
from embeddings.signature import require_signature
from embeddings.vocabulary import Vocabulary

CATALOG = "catalog.ndjson"
CANARY_COLUMNS = 10
SCORE = "cardholder_"
"""Before the name of a score in the name of its array."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Cells of all cardholders as CSR arrays.

    Parameters
    ----------
    indptr : int64, shape (n_cardholders + 1,)
    rows : int32, shape (n_cells,)          column rows, ascending within a cardholder
    strength : float32, shape (n_cells,)    above 0
    visits : int32, shape (n_cells,)        purchases less refunds
    last_day : int32, shape (n_cells,)      days since 1970-01-01 UTC
    """

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    strength: NDArray[np.float32]
    visits: NDArray[np.int32]
    last_day: NDArray[np.int32]

    def cells(self, cardholder_row: int) -> slice:
        """Where a cardholder's cells stand in the flat arrays."""
        return slice(int(self.indptr[cardholder_row]), int(self.indptr[cardholder_row + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Names of columns as people know them; empty where none was given.

    Parameters
    ----------
    offsets : int64, shape (n_columns + 1,)
    text : uint8, shape (n_bytes,)
    """

    offsets: NDArray[np.int64]
    text: NDArray[np.uint8]

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        """Labels of all columns, in order of their rows."""
        encoded = [name.encode() for name in names]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        return cls(offsets, np.frombuffer(b"".join(encoded), np.uint8))

    def __getitem__(self, row: int) -> str:
        return bytes(self.text[self.offsets[row] : self.offsets[row + 1]]).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The numbers of a bundle and what they stand for, in memory or memory-mapped.

    Parameters
    ----------
    cardholders, columns : Vocabulary
    factors : Factors
    history : History
    column_category : int32, shape (n_columns,)      row of a merchant's category column, or -1
    column_cardholders : int32, shape (n_columns,)   cardholders with a cell in the column
    labels : Labels
    segments : tuple of str
        Names of the popularity rows: ``all``, ``product:…``, ``city:…``, ``product:…|city:…``.
    popularity : float32, shape (n_segments, n_columns)
        Share of the segment's cardholders who have the column, within [0, 1].
    catalog : Catalog
        The catalogue at the time of training.
    scores : mapping of str to float32, shape (n_cardholders,)
        ``value``, ``churn_risk``, ``uplift``, those that were learned; NaN where not known.
    appeal : Appeal, optional
        What responses to items taught; None where there were too few.
    """

    cardholders: Vocabulary
    columns: Vocabulary
    factors: Factors
    history: History
    column_category: NDArray[np.int32]
    column_cardholders: NDArray[np.int32]
    labels: Labels
    segments: tuple[str, ...]
    popularity: NDArray[np.float32]
    catalog: Catalog
    scores: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    appeal: Appeal | None = None

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Every array by its name in the bundle."""
        return {
            "cardholder_hashes": self.cardholders.hashes,
            "cardholder_offsets": self.cardholders.offsets,
            "cardholder_text": self.cardholders.text,
            "cardholders": self.factors.cardholders,
            "column_hashes": self.columns.hashes,
            "column_offsets": self.columns.offsets,
            "column_text": self.columns.text,
            "columns": self.factors.columns,
            "column_scale": self.factors.column_scale,
            "column_category": self.column_category,
            "column_cardholders": self.column_cardholders,
            "label_offsets": self.labels.offsets,
            "label_text": self.labels.text,
            "gram": self.factors.gram,
            "history_indptr": self.history.indptr,
            "history_rows": self.history.rows,
            "history_strength": self.history.strength,
            "history_visits": self.history.visits,
            "history_last_day": self.history.last_day,
            "popularity": self.popularity,
            **{f"{SCORE}{name}": scores for name, scores in self.scores.items()},
            **({} if self.appeal is None else self.appeal.arrays()),
        }

    def space(self) -> ColumnSpace:
        """What composing needs to know of the columns."""
        return ColumnSpace(
            self.columns, self.factors.columns, self.column_cardholders, self.column_category
        )

    def composer(self, rule: Composition) -> Composer:
        """Composer of item vectors against this model."""
        return Composer(self.space(), rule, self.appeal, self.catalog.row)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A verified model and its manifest. Open with :meth:`open`."""

    folder: Path
    manifest: Manifest
    model: Model

    @property
    def version(self) -> str:
        """Name of the bundle on its shelf."""
        return self.manifest.version

    def composer(self) -> Composer:
        """Composer of item vectors against this bundle."""
        return self.model.composer(self.manifest.mix)

    @classmethod
    def open(cls, folder: Path, *, trusted: Sequence[Ed25519PublicKey] = ()) -> Self:
        """Verify and memory-map a bundle.

        Order: manifest, signature (when keys are given), names of files, sizes and sha256 of
        each, dtypes and shapes, sample answers.

        Raises
        ------
        BundleError
            With a code and a message that names the file and what is wrong with it.
        """
        manifest = Manifest.read(folder)
        if trusted:
            signature = folder / SIGNATURE
            made = signature.read_bytes() if signature.is_file() else None
            require_signature(folder.name, read_limited(folder / MANIFEST), made, trusted)
        if manifest.version != folder.name:
            raise BundleError(
                "wrong_name", f"{folder.name}: its manifest says {manifest.version}; renamed?"
            )
        check_files(folder, manifest)
        bundle = cls(folder, manifest, _open_model(folder, manifest))
        check_numbers(bundle)
        return bundle


def _open_model(folder: Path, manifest: Manifest) -> Model:
    counts = manifest.counts.model_dump()
    array = {name: open_array(folder, name, counts) for name in ARRAYS}
    key = bytes.fromhex(manifest.id_hash_key)
    try:
        catalog = read_catalog(folder / CATALOG)
    except CatalogError as error:
        raise BundleError("catalog_unreadable", f"{folder.name}: {error}") from error
    return Model(
        Vocabulary(
            array["cardholder_hashes"], array["cardholder_offsets"], array["cardholder_text"], key
        ),
        Vocabulary(array["column_hashes"], array["column_offsets"], array["column_text"], key),
        Factors(
            array["cardholders"],
            array["columns"],
            array["column_scale"],
            manifest.step,
            array["gram"],
        ),
        History(
            *(array[f"history_{part}"] for part in ("indptr", "rows", "strength")),
            *(array[f"history_{part}"] for part in ("visits", "last_day")),
        ),
        array["column_category"],
        array["column_cardholders"],
        Labels(array["label_offsets"], array["label_text"]),
        manifest.segments,
        array["popularity"],
        catalog,
        {
            name.removeprefix(SCORE): open_array(folder, name, counts)
            for name in OPTIONAL_ARRAYS
            if name.startswith(SCORE) and f"{name}.npy" in manifest.files
        },
        _open_appeal(folder, manifest, counts),
    )


def _open_appeal(folder: Path, manifest: Manifest, counts: Mapping[str, int]) -> Appeal | None:
    """What responses taught, when the bundle has it; BundleError when it has only a part."""
    present = [name for name in APPEAL if f"{name}.npy" in manifest.files]
    if not present:
        return None
    if missing := sorted(set(APPEAL) - set(present)):
        raise BundleError("file_missing", f"{folder.name}: {missing[0]}.npy is missing")
    try:
        return Appeal(*(open_array(folder, name, counts) for name in APPEAL))
    except ValueError as error:
        raise BundleError("wrong_shape", f"{folder.name}: {error}") from error


def write_model(
    folder: Path, model: Model, *, written: Callable[[NDArray[Any]], None] = lambda _: None
) -> None:
    """Write all arrays and the catalogue into an empty folder.

    Parameters
    ----------
    folder : Path
    model : Model
    written : callable
        Given each array once it is on disk, before the next is read.
    """
    for name, array in model.arrays().items():
        save_array(folder, name, array)
        written(array)
    write_catalog(folder / CATALOG, model.catalog)


def seal(folder: Path, unsealed: Mapping[str, Any]) -> Manifest:
    """Write the manifest over the files that stand in the folder, and return it."""
    files = {path.name: entry_of(path) for path in sorted(folder.iterdir())}
    manifest = Manifest.model_validate({**unsealed, "files": files})
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Hold every file against the manifest: none missing, none extra, none changed."""
    present = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    promised = set(manifest.files)
    if missing := sorted(promised - present):
        raise BundleError("file_missing", f"{folder.name}: {missing[0]} is missing; publish again")
    if extra := sorted(present - promised):
        raise BundleError("file_extra", f"{folder.name}: {extra[0]} is not in the manifest")
    for name, entry in manifest.files.items():
        _check_file(folder / name, entry.bytes, entry.sha256)


def _check_file(path: Path, size: int, sha256: str) -> None:
    where = f"{path.parent.name}: {path.name}"
    if path.is_symlink() or not path.is_file():
        raise BundleError("not_a_file", f"{where} is not a plain file")
    if path.stat().st_size != size:
        raise BundleError("truncated", f"{where} has {path.stat().st_size} bytes, expected {size}")
    if entry_of(path).sha256 != sha256:
        raise BundleError("hash_mismatch", f"{where} is damaged: its sha256 is not the manifest's")


def check_numbers(bundle: Bundle) -> None:
    """Ask the sample questions again; a bundle that answers otherwise is refused.

    Raises
    ------
    BundleError
        ``not_finite`` or ``wrong_answer``.
    """
    factors = bundle.model.factors
    if not (np.isfinite(factors.gram).all() and np.isfinite(factors.columns).all()):
        raise BundleError("not_finite", f"{bundle.folder.name}: its vectors hold NaN or infinity")
    for canary in bundle.manifest.canaries:
        if canary_of(factors, canary.cardholder_row) != canary:
            raise BundleError(
                "wrong_answer",
                f"{bundle.folder.name}: sample answer of row {canary.cardholder_row} changed",
            )


def canary_of(factors: Factors, cardholder_row: int) -> Canary:
    """The columns nearest to one cardholder, best first, ties by row."""
    scores = np.asarray(factors.columns @ factors.cardholders[cardholder_row], np.float64)
    best = np.argsort(-np.round(scores, 5), kind="stable")[:CANARY_COLUMNS]
    return Canary(cardholder_row=cardholder_row, column_rows=tuple(int(row) for row in best))


def factor_hash(factors: Factors) -> str:
    """sha256 over the bytes of both factor matrices; equal for equal input and seed."""
    digest = hashlib.sha256()
    for matrix in (factors.cardholders, factors.columns):
        digest.update(np.ascontiguousarray(matrix).data)
    return digest.hexdigest()
