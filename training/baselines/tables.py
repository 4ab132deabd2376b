"""Tables that several baselines start from."""

from enum import StrEnum

import numpy as np
from scipy import sparse


class Growth(StrEnum):
    """From the strength of a cell to its weight."""

    BINARY = "binary"
    LOG = "log"


def grown(strength: sparse.csr_matrix, growth: Growth) -> sparse.csr_matrix:
    """Return the same cells, each 1 or ``log(1 + strength)``; CSR float32."""
    data = np.ones_like(strength.data) if growth is Growth.BINARY else np.log1p(strength.data)
    cells = (data.astype(np.float32), strength.indices, strength.indptr)
    return sparse.csr_matrix(cells, shape=strength.shape)


def row_normalised(table: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row divided by its sum; empty rows stay empty."""
    total = np.asarray(table.sum(axis=1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ table)


def strongest(table: sparse.csr_matrix, kept: int) -> sparse.csr_matrix:
    """The ``kept`` largest cells of each row; ties by ascending column."""
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((table.indices, -table.data, row))
    rank = np.arange(order.size) - table.indptr[row[order]]
    cells = order[rank < kept]
    at = (row[cells], table.indices[cells])
    return sparse.csr_matrix((table.data[cells], at), shape=table.shape)
