"""A model on disk: a folder that never changes, opened memory-mapped."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray

from embeddings.appeal import NAMES as APPEAL
from embeddings.appeal import Appeal
from embeddings.arrays import ARRAYS, OPTIONAL_ARRAYS, open_array, save_array
from embeddings.catalog import read_catalog, write_catalog
from embeddings.compose import Composer
from embeddings.errors import BundleError, CatalogError
from embeddings.factors import Factors
from embeddings.manifest import MANIFEST, SIGNATURE, Canary, Manifest, entry_of, read_limited
from embeddings.model import SCORE, History, Labels, Model
from embeddings.signature import require_signature
from embeddings.vocabulary import Vocabulary

CATALOG = "catalog.ndjson"
CANARY_COLUMNS = 10


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
