"""Who belongs together, and what each group has: popularity for those we may not know."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.matrix.homes import Homes

EVERYONE = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Groups of cardholders.

    Parameters
    ----------
    names : tuple of str
        ``all``, ``product:…``, ``city:…``, ``product:…|city:…``; ``all`` first, then ascending.
    members : CSR float32, shape (n_segments, n_cardholders)
        Ones.
    """

    names: tuple[str, ...]
    members: sparse.csr_matrix


def segments_of(homes: Homes, min_cardholders: int) -> Segments:
    """All groups with at least ``min_cardholders``; smaller ones would tell on their members.

    ``all`` is there whatever its size.
    """
    n_cardholders = homes.city.size
    groups = {EVERYONE: np.arange(n_cardholders, dtype=np.int32)}
    big = {n: rows for n, rows in _groups(homes) if rows.size >= min_cardholders}
    groups.update(sorted(big.items()))
    indptr = np.r_[0, np.cumsum([rows.size for rows in groups.values()])]
    columns = np.concatenate(list(groups.values()))
    ones = np.ones(columns.size, np.float32)
    shape = (len(groups), n_cardholders)
    return Segments(tuple(groups), sparse.csr_matrix((ones, columns, indptr), shape=shape))


def _groups(homes: Homes) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """Name and cardholder rows of every group."""
    for code, rows in _split(homes.city, np.arange(homes.city.size, dtype=np.int32)):
        yield f"city:{homes.cities[code]}", rows
    for code, rows in _split(homes.held, homes.holders):
        product = f"product:{homes.products[code]}"
        yield product, rows
        for place, some in _split(homes.city[rows], rows):
            yield f"{product}|city:{homes.cities[place]}", some


def _split(
    codes: NDArray[np.int32], rows: NDArray[np.int32]
) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Rows of each code from 0 on, ascending."""
    order = np.lexsort((rows, codes))
    found, start = np.unique(codes[order], return_index=True)
    ends = np.searchsorted(codes[order], found, side="right")
    for code, first, end in zip(found, start, ends, strict=True):
        if code >= 0:
            yield int(code), rows[order[first:end]]


def popularity(strength: sparse.csr_matrix, segments: Segments) -> NDArray[np.float32]:
    """Share of each segment's cardholders who have a column, within [0, 1].

    Returns
    -------
    float32, shape (n_segments, n_columns)
    """
    ones = sparse.csr_matrix(
        (np.ones(strength.nnz, np.float32), strength.indices, strength.indptr), strength.shape
    )
    sizes = np.maximum(np.diff(segments.members.indptr), 1).astype(np.float32)
    return np.asarray((segments.members @ ones).toarray() / sizes[:, None], np.float32)
