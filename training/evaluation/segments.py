"""Groupings of cardholders by what they did before the split: how much, and since when."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

NEW_DAYS = 90


def activity(seen: sparse.csr_matrix) -> NDArray[np.str_]:
    """``light``, ``medium`` or ``heavy``: thirds by the number of merchants met.

    Returns
    -------
    str, shape (n_cardholders,); cardholders with equally many merchants share a label
    """
    met = np.diff(seen.indptr)
    if met.size == 0:
        return np.empty(0, np.str_)
    low, high = np.quantile(met, [1 / 3, 2 / 3])
    return np.where(met <= low, "light", np.where(met <= high, "medium", "heavy"))


def tenure(first_day: NDArray[np.integer], *, split_day: int) -> NDArray[np.str_]:
    """``new`` for cardholders first met less than 90 days before the split, else ``old``.

    Parameters
    ----------
    first_day : integers, shape (n_cardholders,)    days since 1970-01-01
    split_day : int
    """
    return np.where(split_day - first_day < NEW_DAYS, "new", "old")
