"""Who belongs together, and what each group has: popularity for those we may not know."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from embeddings.vocabulary import Vocabulary

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


def segments_of(homes: pl.DataFrame, cardholders: Vocabulary, min_cardholders: int) -> Segments:
    """All groups with at least ``min_cardholders``; smaller ones would tell on their members.

    Parameters
    ----------
    homes : polars.DataFrame
        ``cardholder_id, products, city``.
    cardholders : Vocabulary
    min_cardholders : int
        ``all`` is there whatever its size.
    """
    rows = pl.DataFrame(
        {
            "cardholder_id": list(cardholders),
            "row": np.arange(len(cardholders), dtype=np.int64),
        },
        schema={"cardholder_id": pl.String(), "row": pl.Int64()},
    )
    placed = rows.join(homes, on="cardholder_id", how="left", maintain_order="left")
    memberships = pl.concat([_by_city(placed), _by_product(placed)]).unique()
    sizes = memberships.group_by("name").len().filter(pl.col("len") >= min_cardholders)
    names = (EVERYONE, *sizes["name"].sort())
    kept = memberships.join(
        pl.DataFrame({"name": names, "segment": np.arange(len(names))}), on="name"
    )
    at = (
        np.r_[np.zeros(len(cardholders), np.int64), kept["segment"].to_numpy()],
        np.r_[np.arange(len(cardholders)), kept["row"].to_numpy()],
    )
    ones = np.ones(at[0].size, np.float32)
    return Segments(names, sparse.csr_matrix((ones, at), shape=(len(names), len(cardholders))))


def _by_city(placed: pl.DataFrame) -> pl.DataFrame:
    named = pl.concat_str(pl.lit("city:"), "city").alias("name")
    return placed.drop_nulls("city").select("row", named)


def _by_product(placed: pl.DataFrame) -> pl.DataFrame:
    """Memberships by product, and by product and city."""
    held = placed.explode("products").drop_nulls("products")
    product = pl.concat_str(pl.lit("product:"), "products")
    both = pl.concat_str(product, pl.lit("|city:"), "city")
    return pl.concat(
        [
            held.select("row", product.alias("name")),
            held.drop_nulls("city").select("row", both.alias("name")),
        ]
    )


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
