"""Merchants: trade, place, name, popularity, latent position, days of opening and closing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.cardholders import STYLE_DIMS
from training.simulate.parameters import Parameters, chance
from training.simulate.places import CITIES
from training.simulate.trades import TRADES, persona_loads

PERSONA_PULL = 3.4
STYLE_PULL = 0.8
PRICE_PULL = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Merchants:
    """All merchants, one row each.

    Parameters
    ----------
    trade : int16
        Row of ``TRADES``.
    city : int8
        Row of ``CITIES``; -1 for one that is met in every city.
    online : bool
        Has no shop.
    chain : bool
        Has shops in every city.
    position : float32, shape (n, TASTE_DIMS)
        Times a cardholder's taste: log of the pull.
    pull : float64
        Log popularity among its own trade; heavy-tailed.
    price : float32
        Log price level against the trade's median.
    opens, closes : int16
        First and last-plus-one day of trading.
    zh, en : list of str
        Names, each unique.
    """

    trade: NDArray[np.int16]
    city: NDArray[np.int8]
    online: NDArray[np.bool_]
    chain: NDArray[np.bool_]
    position: NDArray[np.float32]
    pull: NDArray[np.float64]
    price: NDArray[np.float32]
    opens: NDArray[np.int16]
    closes: NDArray[np.int16]
    zh: list[str]
    en: list[str]

    @property
    def names(self) -> list[str]:
        """Names in both languages, as card usage has them."""
        return [f"{zh} / {en}" for zh, en in zip(self.zh, self.en, strict=True)]

    def __len__(self) -> int:
        return int(self.trade.size)


def merchant_id(row: int) -> str:
    """Id of a row."""
    return f"m_{row:06d}"


def draw_merchants(asked: Parameters) -> Merchants:
    """Draw all from the seed. Row 0 is a marketplace that never closes, so nobody is stranded."""
    rng, n = chance(asked.seed, 2), asked.merchants
    trade = _trades(rng, n)
    national = rng.random(n) < np.array([t.national for t in TRADES])[trade]
    online = national & (rng.random(n) < np.array([t.online for t in TRADES])[trade])
    national[0] = online[0] = True
    weights = np.array([c.weight for c in CITIES])
    city = rng.choice(len(CITIES), n, p=weights / weights.sum()).astype(np.int8)
    city[national] = -1
    price = (0.35 * rng.standard_normal(n)).astype(np.float32)
    opens, closes = _life(rng, asked)
    zh, en = _names(rng, trade, city)
    return Merchants(
        trade=trade,
        city=city,
        online=online,
        chain=national & ~online,
        position=_positions(rng, trade, price),
        pull=0.75 * rng.standard_normal(n) + 0.6 * national,
        price=price,
        opens=opens,
        closes=closes,
        zh=zh,
        en=en,
    )


def _trades(rng: np.random.Generator, n: int) -> NDArray[np.int16]:
    """Trades by their share of places; the largest trades are there even in a tiny world."""
    places = np.array([t.places for t in TRADES])
    trade = rng.choice(len(TRADES), n, p=places / places.sum()).astype(np.int16)
    by_usage = np.argsort([-t.usage for t in TRADES], kind="stable")
    anchors = by_usage[: min(len(TRADES), max(1, n // 4))]
    trade[: anchors.size] = anchors
    trade[0] = next(i for i, t in enumerate(TRADES) if t.category == "online")
    return trade


def _positions(
    rng: np.random.Generator, trade: NDArray[np.int16], price: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Where each merchant stands: its trade's draw on personas, its own style, its price."""
    personas = PERSONA_PULL * persona_loads()[trade]
    personas += 0.3 * rng.standard_normal(personas.shape)
    style = STYLE_PULL * rng.standard_normal((trade.size, STYLE_DIMS))
    return np.hstack([personas, style, PRICE_PULL * price[:, None] / 0.35]).astype(np.float32)


def _life(
    rng: np.random.Generator, asked: Parameters
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Trading days: of a hundred, eight open within the window and six close."""
    n, days = asked.merchants, asked.days
    opens, closes = np.zeros(n, np.int16), np.full(n, days, np.int16)
    fate = rng.random(n)
    fate[0] = 1.0
    fresh, gone = fate < 0.08, (fate >= 0.08) & (fate < 0.14)
    opens[fresh] = rng.integers(1, days, int(fresh.sum()))
    closes[gone] = rng.integers(days // 4, days, int(gone.sum()))
    return opens, closes


# fmt: off
_FIRST = (
    "云/Cloud", "星/Star", "禾/Grain", "木/Wood", "山/Hill", "海/Sea",
    "竹/Bamboo", "青/Green", "明/Bright", "花/Bloom", "锦/Brocade", "悦/Joy",
    "福/Fortune", "安/Calm", "金/Golden", "玉/Jade", "白/White", "红/Red",
    "小/Little", "老/Old", "新/New", "蜀/Shu", "江/River", "松/Pine",
    "月/Moon", "晨/Dawn", "暖/Warm", "乐/Merry", "巧/Clever", "味/Flavour",
    "光/Light", "风/Wind",
)  # fmt: skip
_SECOND = (
    "朵/Petal", "里/Lane", "间/Room", "园/Garden", "香/Scent", "轩/Pavilion",
    "尚/Vogue", "客/Guest", "优/Prime", "选/Pick", "阁/Loft", "屋/House",
    "源/Spring", "巷/Alley", "舍/Lodge", "坊/Mill", "川/Stream", "品/Choice",
    "鹿/Deer", "燕/Swallow", "鲸/Whale", "橙/Orange", "麦/Wheat", "石/Stone",
    "桥/Bridge", "点/Dot", "湾/Bay", "家/Home", "和/Accord", "喜/Cheer",
)  # fmt: skip
# fmt: on


def _names(
    rng: np.random.Generator, trade: NDArray[np.int16], city: NDArray[np.int8]
) -> tuple[list[str], list[str]]:
    """Invented names in both languages; a repeated name gets a number."""
    first = rng.integers(0, len(_FIRST), trade.size)
    second = rng.integers(0, len(_SECOND), trade.size)
    noun = rng.random(trade.size)
    district = rng.integers(0, 3, trade.size)
    zh, en, taken = [], [], dict[str, int]()
    for row, kind in enumerate(trade):
        z, e = _brand(int(kind), _FIRST[first[row]], _SECOND[second[row]], float(noun[row]))
        if city[row] >= 0:
            place = CITIES[city[row]]
            where_zh, where_en = place.districts[district[row]]
            z, e = f"{z}({place.zh}{where_zh}店)", f"{e} ({where_en}, {place.en})"
        taken[z] = taken.get(z, 0) + 1
        number = f" {taken[z]}" if taken[z] > 1 else ""
        zh.append(z + number)
        en.append(e + number)
    return zh, en


def _brand(kind: int, first: str, second: str, pick: float) -> tuple[str, str]:
    """Brand with its trade's noun, such as 云朵咖啡 and Cloud Petal Coffee."""
    trade = TRADES[kind]
    noun = int(pick * len(trade.zh))
    (a, b), (c, d) = first.split("/"), second.split("/")
    return f"{a}{c}{trade.zh[noun]}", f"{b} {d} {trade.en[noun]}"
