"""Where a cardholder belongs: products, city and segment, from his profile or from his usage."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.ahead import in_order
from training.matrix.spool import Spool
from training.matrix.survey import Survey, texts_of

GROUP_FIELDS = ("product", "city", "segment")
CODE_BITS = 16
Codes = tuple[NDArray[np.int64], NDArray[np.int64]]


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
    most = _most_used(spool, before_day, n)
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
    return _told(homes, texts_of(found.cardholders)[:n], profiles)


def _most_used(
    spool: Spool, before_day: int | None, n_cardholders: int
) -> dict[str, NDArray[np.int32]]:
    """Each cardholder's most frequent code of each kind of group; -1 where there is none."""
    most = {name: np.full(n_cardholders, -1, np.int32) for name in GROUP_FIELDS}

    def of_part(number: int) -> dict[str, Codes]:
        contacts = spool.part(number)
        inside = contacts["cardholder"] < n_cardholders
        if before_day is not None:
            inside &= contacts["day"] < before_day
        holders = contacts["cardholder"][inside]
        return {name: most_frequent(holders, contacts[name][inside]) for name in GROUP_FIELDS}

    numbers = range(int(np.searchsorted(spool.fences[:-1], n_cardholders)))
    for found in in_order(of_part, iter(numbers)):
        for name, (holders, codes) in found.items():
            most[name][holders] = codes
    return most


def most_frequent(holders: NDArray[np.int32], codes: NDArray[np.int16]) -> Codes:
    """The holders that have a code, ascending, and the code each has most often.

    Codes below 0 are none; of equally frequent ones the smallest wins.
    """
    has_code = codes >= 0
    pairs = np.sort(holders[has_code].astype(np.int64) << CODE_BITS | codes[has_code])
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]][: pairs.size])
    counts = np.diff(np.r_[starts, pairs.size])
    holder, code = pairs[starts] >> CODE_BITS, pairs[starts] & ((1 << CODE_BITS) - 1)
    order = np.lexsort((-counts, holder))
    first = np.flatnonzero(np.r_[True, holder[1:] != holder[:-1]][: holder.size])
    return holder[first], code[order][first]


def _told(homes: Homes, cardholders: pa.Array, profiles: pl.DataFrame) -> Homes:
    """Put the profiles' products and cities over those of the usage."""
    ids = profiles["cardholder_id"].to_arrow(compat_level=pl.CompatLevel.oldest())
    row = pl.Series("row", pc.index_in(ids, cardholders), pl.Int32())
    placed = profiles.with_columns(row).drop_nulls("row")
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
