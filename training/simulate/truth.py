"""The truth an issuer was drawn from, for evaluators only: no trainer may read it.

Files, in ``truth/`` beside the simulated usage:

``factors.npz``, one entry an array, rows in the order of the ids below
    cardholder_taste float32 (n, d); cardholder_city int8; cardholder_uplift float32;
    cardholder_product_bits, _tier_bits, _segment_bits int64;
    cardholder_transactions int64; cardholder_daily_spend_minor float64: mean spend a day of life;
    cardholder_joins, cardholder_leaves int16: first and last-plus-one day of card use;
    item_position float32 (k, d); item_offset float32; item_city int8 (-1 everywhere);
    item_product_bits, item_tier_bits, item_city_bits, item_segment_bits int64 (0: everyone);
    item_starts, item_ends int32: days from the opening of the window; item_cold bool;
    merchant_position float32 (m, d); merchant_pull float64; merchant_trade int16;
    merchant_city int8.
``truth.json``
    item_ids; push_effect; days; format. Cardholders are ``ch_0000000`` … and merchants
    ``m_000000`` … in row order.

The log-odds that a cardholder to whom an item is shown activates it are its *utility*: the inner
product of taste and position, the item's own offset, a constant, and a fine of 2 when the item is
of use in another city only. Nothing else moves him.

What a push adds is known too: without one he finds the item himself with probability
``sigmoid(utility + ORGANIC)``; a push adds ``push_effect * uplift`` to these log-odds, and raises
his spend by ``SPEND_LIFT * push_effect * uplift`` of itself. Uplift is above 0 for the
persuadable, 0 for the indifferent, below 0 for those whom pushes put off.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from training.errors import BadInputError
from training.simulate.cardholders import Cardholders, bits, product_bits, tier_bits
from training.simulate.items import Items
from training.simulate.ledger import Ledger
from training.simulate.merchants import Merchants
from training.simulate.odds import TERMS, Floats, admitted, log_odds, sigmoid
from training.simulate.parameters import Parameters

FORMAT = 1
ORGANIC = -1.2
SPEND_LIFT = 0.1

Ids = Sequence[str] | NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What cardholders did in a campaign's window, one row each.

    Parameters
    ----------
    activated : bool
    spend_before_minor, spend_minor : int64
        In the window before the campaign and in the campaign's.
    """

    activated: NDArray[np.bool_]
    spend_before_minor: NDArray[np.int64]
    spend_minor: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything known of a simulated issuer; see the module for the arrays."""

    arrays: dict[str, NDArray[Any]]
    item_ids: tuple[str, ...]
    push_effect: float
    days: int

    @classmethod
    def of(
        cls,
        asked: Parameters,
        people: Cardholders,
        merchants: Merchants,
        items: Items,
        ledger: Ledger,
    ) -> Self:
        """Truth of what was drawn."""
        life = np.maximum(people.leaves.astype(np.float64) - people.joins, 1)
        arrays: dict[str, NDArray[Any]] = {
            "cardholder_taste": people.taste,
            "cardholder_city": people.home,
            "cardholder_uplift": people.uplift,
            "cardholder_product_bits": product_bits(people),
            "cardholder_tier_bits": tier_bits(people),
            "cardholder_segment_bits": bits(people.segments),
            "cardholder_transactions": ledger.transactions,
            "cardholder_daily_spend_minor": np.maximum(ledger.spend_minor, 0) / life,
            "cardholder_joins": people.joins,
            "cardholder_leaves": people.leaves,
            "merchant_position": merchants.position,
            "merchant_pull": merchants.pull,
            "merchant_trade": merchants.trade,
            "merchant_city": merchants.city,
        }
        for name in _ITEM_ARRAYS:
            arrays[f"item_{name}"] = getattr(items, name)
        return cls(arrays, tuple(items.ids), asked.push_effect, asked.days)

    def save(self, folder: Path) -> None:
        """Write into ``folder/truth``."""
        room = folder / "truth"
        room.mkdir(exist_ok=True)
        np.savez(room / "factors.npz", allow_pickle=False, **self.arrays)
        document = {
            "format": FORMAT,
            "push_effect": self.push_effect,
            "days": self.days,
            "item_ids": self.item_ids,
        }
        (room / "truth.json").write_text(json.dumps(document) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Truth of a folder that ``simulate`` wrote; BadInputError when it is none."""
        room = Path(folder) / "truth"
        try:
            document = json.loads((room / "truth.json").read_text())
            with np.load(room / "factors.npz", allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError) as error:
            raise BadInputError(f"{room}: no truth can be read here; simulate again") from error
        if document["format"] != FORMAT:
            raise BadInputError(f"{room}: format {document['format']}, this code reads {FORMAT}")
        return cls(arrays, tuple(document["item_ids"]), document["push_effect"], document["days"])

    def cardholder_rows(self, cardholder_ids: Ids) -> NDArray[np.int64]:
        """Rows of cardholders; BadInputError for one that was not simulated."""
        n = self.arrays["cardholder_city"].size
        return _numbered(cardholder_ids, "ch_", n)

    def item_rows(self, item_ids: Ids) -> NDArray[np.int64]:
        """Rows of items; BadInputError for one that was not simulated."""
        row_of = {item_id: row for row, item_id in enumerate(self.item_ids)}
        unknown = [i for i in item_ids if i not in row_of]
        if unknown:
            raise BadInputError(f"item {unknown[0]!r} is not of this simulation")
        return np.array([row_of[str(i)] for i in item_ids], np.int64)

    def utility(self, cardholder_ids: Ids, item_ids: Ids) -> Floats:
        """Log-odds of activation when shown, float64, shape (n_cardholders, n_items)."""
        who, what = self.cardholder_rows(cardholder_ids), self.item_rows(item_ids)
        return self.utility_of_rows(who, what)

    def utility_of_rows(self, who: NDArray[np.int64], what: NDArray[np.int64]) -> Floats:
        """As :meth:`utility`, for rows."""
        a = self.arrays
        return log_odds(
            a["cardholder_taste"][who],
            a["cardholder_city"][who],
            a["item_position"][what],
            a["item_offset"][what],
            a["item_city"][what],
        )

    def probability(self, cardholder_ids: Ids, item_ids: Ids) -> Floats:
        """Probability of activation when shown, shape (n_cardholders, n_items)."""
        return sigmoid(self.utility(cardholder_ids, item_ids))

    def eligible(self, cardholder_ids: Ids, item_ids: Ids, *, day: int) -> NDArray[np.bool_]:
        """Who may have what on a day by product, tier, city, segment and window.

        Recency, weekday, channel and budget are not judged.

        Returns
        -------
        bool, shape (n_cardholders, n_items)
        """
        who, what = self.cardholder_rows(cardholder_ids), self.item_rows(item_ids)
        a = self.arrays
        fits = admitted(
            {word: a[f"cardholder_{word}_bits"][who] for word in ("product", "tier", "segment")}
            | {"city": np.int64(1) << a["cardholder_city"][who].astype(np.int64)},
            {word: a[f"item_{word}_bits"][what] for word in TERMS},
        )
        live: NDArray[np.bool_] = (a["item_starts"][what] <= day) & (day < a["item_ends"][what])
        return fits & live

    def activation(self, cardholder_ids: Ids, item_ids: Ids, *, pushed: bool) -> Floats:
        """Probability of activating by oneself, or when pushed, shape (n_cardholders, n_items)."""
        organic = self.utility(cardholder_ids, item_ids) + ORGANIC
        if not pushed:
            return sigmoid(organic)
        uplift = self.arrays["cardholder_uplift"][self.cardholder_rows(cardholder_ids)]
        return sigmoid(organic + self.push_effect * uplift[:, None])

    def incremental(self, cardholder_ids: Ids, item_ids: Ids) -> Floats:
        """What a push adds to the probability of activation, shape (n_cardholders, n_items)."""
        pushed = self.activation(cardholder_ids, item_ids, pushed=True)
        return pushed - self.activation(cardholder_ids, item_ids, pushed=False)

    def spend_lift_share(self, cardholder_ids: Ids) -> Floats:
        """By which share of itself a push raises spend, shape (n_cardholders,)."""
        uplift = self.arrays["cardholder_uplift"][self.cardholder_rows(cardholder_ids)]
        return np.maximum(SPEND_LIFT * self.push_effect * uplift.astype(np.float64), -0.9)

    def draw_campaign(
        self,
        rng: np.random.Generator,
        cardholder_ids: Ids,
        item_id: str,
        treated: NDArray[np.bool_],
        *,
        days: int,
    ) -> Outcomes:
        """Draw what cardholders do in a campaign of one item, and what they spent before.

        Spend of each window is gamma about the cardholder's own rate of that half-year, which
        itself wanders a little from one window to the next.
        """
        base = self.activation(cardholder_ids, [item_id], pushed=False)[:, 0]
        pushed = self.activation(cardholder_ids, [item_id], pushed=True)[:, 0]
        rate = self.arrays["cardholder_daily_spend_minor"][self.cardholder_rows(cardholder_ids)]
        mood = np.exp(0.3 * rng.standard_normal(treated.size))
        lift = 1 + np.where(treated, self.spend_lift_share(cardholder_ids), 0.0)
        before = _spend(rng, rate * mood * days)
        after = _spend(rng, rate * mood * days * lift)
        activated = rng.random(treated.size) < np.where(treated, pushed, base)
        return Outcomes(activated, before, after)


_ITEM_ARRAYS = (
    "position",
    "offset",
    "city",
    "product_bits",
    "tier_bits",
    "city_bits",
    "segment_bits",
    "starts",
    "ends",
    "cold",
)


def _spend(rng: np.random.Generator, mean_minor: Floats) -> NDArray[np.int64]:
    """Spend of a window: gamma of shape 4, so its standard deviation is half its mean."""
    return np.round(rng.gamma(4.0, np.maximum(mean_minor, 1e-9) / 4.0)).astype(np.int64)


def _numbered(ids: Ids, prefix: str, n: int) -> NDArray[np.int64]:
    """Rows of ids that are a prefix and the row's number."""
    rows = []
    for one in ids:
        digits = str(one).removeprefix(prefix)
        if not (str(one).startswith(prefix) and digits.isdecimal() and int(digits) < n):
            raise BadInputError(f"{str(one)!r} is not of this simulation")
        rows.append(int(digits))
    return np.array(rows, np.int64)
