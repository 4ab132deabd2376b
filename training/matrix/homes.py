"""Where a cardholder belongs: products, city and segment, from his profile or from his usage."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.matrix.spool import Spool
from training.matrix.survey import Survey


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """Groups of every cardholder.

    Parameters
    ----------
    products, cities, segments : list of str
        Names, ascending.
    holders, held : int32, shape (n_cards,)
        Cardholder row and product of each card product held; someone may hold several.
    city, segment : int32, shape (n_cardholders,)
        Place in ``cities`` and ``segments``; -1 where it is not known.
    """

    products: list[str]
    cities: list[str]
    segments: list[str]
    holders: NDArray[np.int32]
    held: NDArray[np.int32]
    city: NDArray[np.int32]
    segment: NDArray[np.int32]

    def only(self, kept: NDArray[np.bool_]) -> "Homes":
        """Of the cardholders that are kept, in their order."""
        new_row = (np.cumsum(kept) - 1).astype(np.int32)
        stays = kept[self.holders]
        return Homes(
            self.products,
            self.cities,
            self.segments,
            new_row[self.holders[stays]],
            self.held[stays],
            self.city[kept],
            self.segment[kept],
        )

    def main_product(self) -> NDArray[np.int32]:
        """One product of each cardholder, the first by name; -1 where none is known."""
        first = np.full(self.city.size, len(self.products), np.int32)
        np.minimum.at(first, self.holders, self.held)
        return np.where(first == len(self.products), -1, first).astype(np.int32)


def homes_of(
    spool: Spool,
    found: Survey,
    profiles: pl.DataFrame | None,
    *,
    before_day: int | None = None,
    n_cardholders: int | None = None,
) -> Homes:
    """Read the most used product, city and segment off the usage; a profile's word goes first.

    Parameters
    ----------
    spool : Spool
    found : Survey
    profiles : polars.DataFrame or None
    before_day : int, optional
        Usage on or after it is not read: a label must not tell of what is to be foretold.
    n_cardholders : int, optional
        Only the first so many rows.
    """
    n = int(spool.fences[-1]) if n_cardholders is None else n_cardholders
    most = {name: _most_used(spool, name, before_day, n) for name in ("product", "city", "segment")}
    rows = np.flatnonzero(most["product"] >= 0).astype(np.int32)
    homes = Homes(
        found.groups["card_product_id"],
        found.groups["city"],
        found.groups["segment"],
        rows,
        most["product"][rows],
        most["city"],
        most["segment"],
    )
    if profiles is None:
        return homes
    return _told(homes, list(islice(found.cardholders, n)), profiles)


def _most_used(
    spool: Spool, name: str, before_day: int | None, n_cardholders: int
) -> NDArray[np.int32]:
    """Most frequent code of each cardholder, the smallest of equals; -1 where there is none."""
    most = np.full(n_cardholders, -1, np.int32)
    for number in range(int(np.searchsorted(spool.fences[:-1], n_cardholders))):
        contacts = spool.part(number)
        kept = (contacts[name] >= 0) & (contacts["cardholder"] < n_cardholders)
        if before_day is not None:
            kept &= contacts["day"] < before_day
        contacts = contacts[kept]
        pairs = contacts["cardholder"].astype(np.int64) << 16 | contacts[name]
        pair, count = np.unique(pairs, return_counts=True)
        order = np.lexsort((pair, -count, pair >> 16))
        holder, first = np.unique(pair[order] >> 16, return_index=True)
        most[holder] = (pair[order] & 0xFFFF)[first]
    return most


def _told(homes: Homes, cardholders: list[str], profiles: pl.DataFrame) -> Homes:
    """Put the profiles' products and cities over those of the usage."""
    rows = pl.DataFrame(
        {"cardholder_id": cardholders, "row": np.arange(len(cardholders), dtype=np.int32)},
        schema={"cardholder_id": pl.String(), "row": pl.Int32()},
    )
    placed = profiles.join(rows, on="cardholder_id", maintain_order="left")
    city_names, city = _coded(homes.cities, placed.select("row", "city").drop_nulls("city"), "city")
    cards = placed.select("row", pl.col("products").alias("product")).explode("product")
    products, pairs = _coded(homes.products, cards.drop_nulls("product").unique(), "product")
    lived = np.where(homes.city >= 0, _moved(homes.cities, city_names)[homes.city], -1)
    lived = lived.astype(np.int32)
    lived[city["row"].to_numpy()] = city["code"].to_numpy()
    untold = ~np.isin(homes.holders, pairs["row"].to_numpy())
    return Homes(
        products,
        city_names,
        homes.segments,
        np.r_[homes.holders[untold], pairs["row"].to_numpy()],
        np.r_[_moved(homes.products, products)[homes.held[untold]], pairs["code"].to_numpy()],
        lived,
        homes.segment,
    )


def _coded(known: list[str], told: pl.DataFrame, name: str) -> tuple[list[str], pl.DataFrame]:
    """All names, ascending, and ``row, code`` of what was told."""
    names = sorted({*known, *told[name]})
    codes = pl.DataFrame(
        {name: names, "code": np.arange(len(names), dtype=np.int32)},
        schema={name: pl.String(), "code": pl.Int32()},
    )
    return names, told.join(codes, on=name, maintain_order="left").sort("row", "code")


def _moved(names: list[str], into: list[str]) -> NDArray[np.int32]:
    """Place of each name in a longer list; one more entry, -1, so that -1 stays -1."""
    place: dict[str, Any] = {name: i for i, name in enumerate(into)}
    return np.array([*(place[name] for name in names), -1], np.int32)
