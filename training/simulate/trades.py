# ruff: noqa: E501 - a table reads best with one entry a line
"""Trades a simulated cardholder can meet: merchant category codes with what is bought, when and by whom.

Shares and amounts are plausible magnitudes chosen by hand, not measured from anyone's data; codes
and their meanings are ISO 18245's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERSONAS = ("commuter", "foodie", "family", "traveller", "digital", "driver", "style", "homebody")


@dataclass(frozen=True, slots=True)
class Trade:
    """One merchant category.

    Parameters
    ----------
    mcc, category : str
        Four digits; the word used in the API.
    zh, en : tuple of str
        Nouns for names, in step with one another.
    usage, places : float
        Share of transactions and of merchants, not normalised.
    median_yuan, spread : float
        Amounts are log-normal about the median.
    national, online : float
        Probability that a merchant is known in every city, and that it has no shop at all.
    loads : dict
        Persona → how much it draws them, about -1 to 2.
    season, week, hours : str
        Keys of the calendar's profiles.
    """

    mcc: str
    category: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    usage: float
    places: float
    median_yuan: float
    spread: float
    national: float
    online: float
    loads: dict[str, float]
    season: str = "flat"
    week: str = "flat"
    hours: str = "shop"


def _t(  # noqa: PLR0913, PLR0917 - one line of the table below
    mcc: str,
    category: str,
    names: str,
    usage: float,
    places: float,
    money: tuple[float, float],
    reach: tuple[float, float],
    loads: str,
    when: str = "flat flat shop",
) -> Trade:
    """Read one line of the table."""
    pairs = [name.split("/") for name in names.split(",")]
    season, week, hours = when.split()
    weights = {k: float(v) for k, v in (p.split(":") for p in loads.split())}
    return Trade(
        mcc,
        category,
        tuple(p[0] for p in pairs),
        tuple(p[1] for p in pairs),
        usage,
        places,
        *money,
        *reach,
        weights,
        season,
        week,
        hours,
    )


# fmt: off
TRADES = (
    _t("5812", "dining", "火锅店/Hotpot,私房菜馆/Kitchen,日料店/Japanese Dining,烤鱼馆/Grilled Fish,茶餐厅/Cha Chaan Teng",
       11, 16, (128, 0.6), (0.1, 0), "foodie:1.5 style:.4 traveller:.3", "flat weekend meals"),
    _t("5814", "dining", "面馆/Noodles,汉堡/Burger,麻辣烫/Malatang,轻食/Salad Bar,快餐/Express",
       10, 9, (32, 0.45), (0.25, 0), "foodie:.8 commuter:.7 digital:.4", "flat workday meals"),
    _t("5813", "dining", "精酿酒馆/Taproom,清吧/Bar,居酒屋/Izakaya",
       1.5, 3, (180, 0.6), (0.02, 0), "foodie:.9 digital:.7 style:.3", "flat weekend night"),
    _t("5462", "dining", "烘焙坊/Bakery,甜品店/Dessert,蛋糕店/Patisserie",
       3, 4, (38, 0.5), (0.15, 0), "foodie:1 family:.5 style:.5", "flat flat shop"),
    _t("5499", "groceries", "便利店/Convenience,鲜果店/Fresh Fruit,咖啡/Coffee,茶饮/Tea House",
       12, 8, (22, 0.5), (0.35, 0), "commuter:1 digital:.5 foodie:.3", "flat workday commute"),
    _t("5411", "groceries", "超市/Supermarket,生鲜市集/Fresh Market,会员店/Warehouse Club",
       9, 5, (96, 0.7), (0.3, 0.1), "family:1.2 homebody:1", "festival weekend evening"),
    _t("4111", "transport", "地铁/Metro,公交/Bus",
       14, 1.2, (5, 0.3), (0.1, 0), "commuter:2 digital:.2 driver:-1.2", "flat workday commute"),
    _t("4121", "transport", "出行/Ride,专车/Chauffeur",
       6, 1, (28, 0.5), (0.8, 1), "commuter:.9 traveller:.8 digital:.4 driver:-.6", "flat workday commute"),
    _t("4112", "travel", "铁路票务/Rail,高铁订票/High-speed Rail",
       1.5, 0.6, (220, 0.6), (1, 1), "traveller:1.6 commuter:.3", "holiday flat online"),
    _t("4511", "travel", "航空/Airlines,廉价航空/Budget Air",
       0.9, 0.8, (880, 0.5), (1, 1), "traveller:2", "holiday workday online"),
    _t("4722", "travel", "旅行网/Travel,度假/Holidays",
       0.9, 1.2, (620, 0.9), (0.9, 0.9), "traveller:1.7 family:.4", "holiday flat online"),
    _t("7011", "travel", "酒店/Hotel,民宿/Guesthouse,度假村/Resort",
       1.6, 4, (420, 0.5), (0.25, 0.05), "traveller:1.7 style:.3", "holiday weekend evening"),
    _t("5541", "auto", "加油站/Fuel Station,能源充电/EV Charging",
       5, 2.2, (260, 0.4), (0.35, 0), "driver:2 family:.3 commuter:-.4", "flat flat commute"),
    _t("7523", "auto", "停车场/Parking,智慧停车/Smart Parking",
       2.5, 1.8, (15, 0.6), (0.1, 0), "driver:1.8", "flat weekend shop"),
    _t("7542", "auto", "洗车行/Car Wash,汽车美容/Auto Spa",
       0.8, 1.6, (45, 0.4), (0.08, 0), "driver:1.8", "flat weekend shop"),
    _t("4784", "auto", "高速通行/Toll",
       1.2, 0.3, (35, 0.7), (1, 0), "driver:1.9 traveller:.4", "holiday weekend commute"),
    _t("5311", "shopping", "百货/Department Store,购物中心/Mall",
       2.2, 2, (360, 0.8), (0.25, 0), "style:1.2 family:.5", "shopping weekend shop"),
    _t("5651", "fashion", "服饰/Apparel,童装/Kids Wear,休闲服/Casual Wear",
       2, 4, (260, 0.6), (0.4, 0.2), "style:1.2 family:.7", "shopping weekend shop"),
    _t("5691", "fashion", "男装/Menswear,女装/Womenswear,设计师集合店/Designer Select",
       1.6, 3.5, (380, 0.7), (0.35, 0.15), "style:1.7 traveller:.2", "shopping weekend shop"),
    _t("5944", "fashion", "珠宝/Jewellery,钟表/Watches",
       0.4, 1.2, (1600, 0.9), (0.4, 0), "style:1.4", "gift weekend shop"),
    _t("5977", "beauty", "美妆/Cosmetics,香氛/Fragrance,护肤/Skincare",
       1.8, 2.6, (230, 0.7), (0.45, 0.3), "style:1.9", "shopping flat shop"),
    _t("7230", "beauty", "美发沙龙/Hair Salon,造型/Styling",
       1, 2.8, (128, 0.7), (0.06, 0), "style:1.3", "festival weekend shop"),
    _t("7298", "beauty", "养生馆/Wellness,SPA/Spa,美容院/Beauty",
       0.8, 2.2, (260, 0.6), (0.05, 0), "style:1.2 homebody:.4", "flat weekend evening"),
    _t("5262", "online", "商城/Marketplace,优选/Select,闪购/Flash Sale,严选/Choice",
       9, 1.6, (88, 0.9), (1, 1), "digital:.9 family:.5 homebody:.6 style:.4", "online flat online"),
    _t("5732", "electronics", "数码/Digital,电器/Appliances,手机旗舰店/Phone Store",
       1.4, 2.4, (900, 1.0), (0.5, 0.35), "digital:1.4 homebody:.3", "online weekend shop"),
    _t("5816", "entertainment", "游戏/Games,电竞/Esports",
       2.2, 1, (48, 0.8), (1, 1), "digital:2", "flat weekend night"),
    _t("5815", "entertainment", "视频会员/Video,音乐/Music,读书/Reading",
       2.6, 1, (25, 0.3), (1, 1), "digital:1.3 commuter:.4 homebody:.3", "flat flat online"),
    _t("7832", "entertainment", "影城/Cinema,巨幕影院/Giant Screen",
       1.6, 2, (82, 0.4), (0.2, 0), "digital:.9 family:.5 foodie:.3", "screen weekend night"),
    _t("7994", "entertainment", "电玩城/Arcade,桌游馆/Board Games,密室/Escape Room",
       0.6, 1.4, (110, 0.5), (0.05, 0), "digital:1.4 family:.3", "screen weekend night"),
    _t("7997", "sports", "健身/Gym,瑜伽馆/Yoga,游泳馆/Swimming Club",
       0.9, 2.6, (240, 0.9), (0.12, 0), "style:.7 digital:.4 traveller:.3", "newyear workday evening"),
    _t("7941", "sports", "体育场馆/Sports Park,羽毛球馆/Badminton",
       0.6, 1.4, (90, 0.5), (0.03, 0), "digital:.5 family:.4 driver:.3", "flat weekend evening"),
    _t("5641", "family", "母婴/Mother & Baby,童趣/Kids",
       1.4, 2.2, (190, 0.7), (0.35, 0.3), "family:2", "online weekend shop"),
    _t("5945", "family", "玩具/Toys,模型/Hobby",
       0.8, 1.4, (120, 0.7), (0.3, 0.2), "family:1.4 digital:.5", "gift weekend shop"),
    _t("8299", "education", "教育/Education,英语/English School,艺术培训/Arts Studio",
       0.7, 2.4, (1200, 1.0), (0.2, 0.4), "family:1.6 digital:.2", "school weekend shop"),
    _t("5942", "education", "书店/Books,文具/Stationery",
       1, 1.6, (62, 0.6), (0.3, 0.3), "family:.9 homebody:.5", "school weekend shop"),
    _t("5912", "health", "大药房/Pharmacy,健康药房/Health Pharmacy",
       2, 2.4, (58, 0.7), (0.3, 0.1), "homebody:1.3 family:.4", "winter flat shop"),
    _t("8011", "health", "口腔/Dental,体检中心/Check-up,诊所/Clinic",
       0.6, 1.8, (420, 1.0), (0.1, 0), "homebody:1.1 style:.2", "flat workday office"),
    _t("8062", "health", "医院/Hospital",
       0.8, 1, (260, 1.0), (0, 0), "homebody:1.3 family:.3", "winter workday office"),
    _t("5712", "home", "家居/Home,家具/Furniture",
       0.6, 1.8, (980, 1.0), (0.3, 0.2), "homebody:1.3 family:.4", "shopping weekend shop"),
    _t("5200", "home", "建材/Home Improvement,五金/Hardware",
       0.5, 1.2, (320, 1.0), (0.2, 0.1), "homebody:1.3 driver:.3", "shopping weekend shop"),
    _t("5995", "home", "宠物/Pet,萌宠生活/Pet Life",
       1, 1.4, (135, 0.6), (0.25, 0.3), "homebody:.8 digital:.4 style:.3", "flat weekend shop"),
    _t("5992", "home", "花店/Florist,花艺/Flower Studio",
       0.4, 1.2, (128, 0.5), (0.1, 0.2), "style:.8 homebody:.5", "gift flat shop"),
    _t("4814", "utilities", "通信/Telecom,宽带/Broadband",
       2.2, 0.5, (68, 0.5), (1, 1), "homebody:.3", "flat flat online"),
    _t("4900", "utilities", "电力/Power,水务/Water,燃气/Gas",
       2, 0.8, (120, 0.6), (0.05, 0), "homebody:.7 family:.5", "power flat online"),
    _t("6300", "insurance", "保险/Insurance,财险/General Insurance",
       0.4, 0.6, (860, 0.9), (1, 1), "homebody:.6 driver:.6 family:.5", "newyear workday office"),
)
# fmt: on

CATEGORIES = tuple(dict.fromkeys(trade.category for trade in TRADES))
CATEGORY_NAMES = {
    "dining": ("餐饮", "dining"), "groceries": ("超市便利", "groceries"), "transport": ("出行", "transport"),
    "travel": ("旅行", "travel"), "auto": ("车主", "motoring"), "shopping": ("百货", "shopping"),
    "fashion": ("服饰", "fashion"), "beauty": ("美妆美发", "beauty"), "online": ("网购", "online shopping"),
    "electronics": ("数码家电", "electronics"), "entertainment": ("娱乐", "entertainment"), "sports": ("运动健身", "sports"),
    "family": ("母婴亲子", "family"), "education": ("教育图书", "education"), "health": ("健康", "health"),
    "home": ("家居生活", "home"), "utilities": ("生活缴费", "utilities"), "insurance": ("保险", "insurance"),
}  # fmt: skip


def persona_loads() -> NDArray[np.float32]:
    """Return how much each trade draws each persona, float32, shape (n_trades, n_personas)."""
    return np.array([[t.loads.get(p, 0.0) for p in PERSONAS] for t in TRADES], np.float32)


def usage_shares() -> NDArray[np.float64]:
    """Return each trade's share of transactions at average taste; sums to 1."""
    shares = np.array([t.usage for t in TRADES])
    return np.asarray(shares / shares.sum(), np.float64)
