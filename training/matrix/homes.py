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
CODE_BITS, ROW_SHIFT = 16, 32
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
    table = profiles.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    place = pc.index_in(table["cardholder_id"], cardholders)
    table, row = table.filter(pc.is_valid(place)), np.asarray(place.drop_null(), np.int32)
    cities, lives = _coded(homes.cities, table["city"])
    lived = _moved(homes.cities, cities)[homes.city]
    lived[row[lives >= 0]] = lives[lives >= 0]
    products, held = _coded(homes.products, pc.list_flatten(table["products"]))
    holders = row[np.asarray(pc.list_parent_indices(table["products"]))]
    holders, held = _once(holders[held >= 0], held[held >= 0])
    untold = ~np.isin(homes.holders, holders)
    return Homes(
        products,
        cities,
        homes.segments,
        np.r_[homes.holders[untold], holders],
        np.r_[_moved(homes.products, products)[homes.held[untold]], held],
        lived,
        homes.segment,
    )


def _coded(known: list[str], told: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    """All names, ascending, and the code among them of everything told; -1 for null."""
    coded = told.combine_chunks().dictionary_encode()
    met: list[str] = coded.dictionary.to_pylist()
    names = sorted({*known, *met})
    return names, _moved(met, names)[np.asarray(coded.indices.fill_null(-1))]


def _once(
    holders: NDArray[np.int32], held: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Each pair once, ascending."""
    pairs = np.sort(holders.astype(np.int64) << ROW_SHIFT | held)
    pairs = pairs[np.r_[True, pairs[1:] != pairs[:-1]][: pairs.size]]
    codes = pairs & ((1 << ROW_SHIFT) - 1)
    return (pairs >> ROW_SHIFT).astype(np.int32), codes.astype(np.int32)


def _moved(names: list[str], into: list[str]) -> NDArray[np.int32]:
    """Place of each name in a longer list; one more entry, -1, so that -1 stays -1."""
    place: dict[str, Any] = {name: i for i, name in enumerate(into)}
    return np.array([*(place[name] for name in names), -1], np.int32)
