"""The arrays of a bundle: one table of name, dtype and shape, and the two ways through it.

Everything opens memory-mapped and read-only. Nothing is ever unpickled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import BundleError


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """Promise about one array.

    Parameters
    ----------
    dtype : str
    shape : tuple of str
        Names of dimensions; ``name+1`` for fence posts. A name that the manifest does not count
        (``…_bytes``) may have any length.
    """

    dtype: str
    shape: tuple[str, ...]


ARRAYS: Mapping[str, ArraySpec] = {
    "cardholder_hashes": ArraySpec("uint64", ("cardholders",)),
    "cardholder_offsets": ArraySpec("int64", ("cardholders+1",)),
    "cardholder_text": ArraySpec("uint8", ("cardholder_bytes",)),
    "cardholders": ArraySpec("float32", ("cardholders", "factors")),
    "column_hashes": ArraySpec("uint64", ("columns",)),
    "column_offsets": ArraySpec("int64", ("columns+1",)),
    "column_text": ArraySpec("uint8", ("column_bytes",)),
    "columns": ArraySpec("float32", ("columns", "factors")),
    "column_scale": ArraySpec("float32", ("columns",)),
    "column_category": ArraySpec("int32", ("columns",)),
    "column_cardholders": ArraySpec("int32", ("columns",)),
    "label_offsets": ArraySpec("int64", ("columns+1",)),
    "label_text": ArraySpec("uint8", ("label_bytes",)),
    "gram": ArraySpec("float64", ("factors", "factors")),
    "history_indptr": ArraySpec("int64", ("cardholders+1",)),
    "history_rows": ArraySpec("int32", ("cells",)),
    "history_strength": ArraySpec("float32", ("cells",)),
    "history_visits": ArraySpec("int32", ("cells",)),
    "history_last_day": ArraySpec("int32", ("cells",)),
    "popularity": ArraySpec("float32", ("segments", "columns")),
}

OPTIONAL_ARRAYS: Mapping[str, ArraySpec] = {
    "cardholder_value": ArraySpec("float32", ("cardholders",)),
    "cardholder_churn_risk": ArraySpec("float32", ("cardholders",)),
    "cardholder_uplift": ArraySpec("float32", ("cardholders",)),
    "appeal_maps": ArraySpec("float32", ("maps", "factors", "factors")),
    "appeal_traits": ArraySpec("float32", ("traits",)),
    "appeal_corrections": ArraySpec("float32", ("items", "factors")),
    "appeal_biases": ArraySpec("float32", ("items",)),
}
"""What a bundle may lack: scores of cardholders (NaN for one without), and what responses to items
taught (:mod:`embeddings.appeal`)."""


def save_array(folder: Path, name: str, array: NDArray[Any]) -> None:
    """Write one array as ``name.npy``; ValueError when its dtype is not the promised one."""
    spec = _spec(name)
    if array.dtype != np.dtype(spec.dtype) or array.ndim != len(spec.shape):
        raise ValueError(f"{name}: {array.dtype} {array.shape} is not {spec.dtype} {spec.shape}")
    np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


def open_array(folder: Path, name: str, counts: Mapping[str, int]) -> NDArray[Any]:
    """Memory-map one array, read-only.

    Raises
    ------
    BundleError
        ``array_unreadable`` when it is no plain array, ``wrong_shape`` when its dtype or shape
        is not what the manifest counts.
    """
    spec = _spec(name)
    path = folder / f"{name}.npy"
    try:
        array = np.asarray(_map(path))  # a plain view of the map: rows are read twice as fast
    except (OSError, ValueError, EOFError) as error:
        raise BundleError("array_unreadable", f"{folder.name}: {path.name}: {error}") from error
    expected = tuple(dimension(part, counts) for part in spec.shape)
    fits = len(expected) == array.ndim and all(
        want is None or want == got for want, got in zip(expected, array.shape, strict=True)
    )
    if array.dtype != np.dtype(spec.dtype) or not fits:
        raise BundleError(
            "wrong_shape",
            f"{folder.name}: {path.name} is {array.dtype} {array.shape}, "
            f"the manifest promises {spec.dtype} {expected}",
        )
    return array


def _spec(name: str) -> ArraySpec:
    """Promise about an array, whether every bundle has it or not."""
    return ARRAYS[name] if name in ARRAYS else OPTIONAL_ARRAYS[name]


def _map(path: Path) -> NDArray[Any]:
    """Map a file; an array without elements cannot be mapped and is loaded."""
    array = np.load(path, mmap_mode=None if path.stat().st_size <= 256 else "r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("is an archive, not one array")  # noqa: TRY004 - one kind for the caller
    array.flags.writeable = False
    return array


def dimension(part: str, counts: Mapping[str, int]) -> int | None:
    """Length that a dimension must have; None when any will do."""
    name, _, extra = part.partition("+")
    return counts[name] + int(extra or 0) if name in counts else None
