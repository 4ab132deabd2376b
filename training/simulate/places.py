"""Cities, card products, segments and channels of the simulated issuer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """A city: its id in files, its names, its share of cardholders (not normalised)."""

    city: str
    zh: str
    en: str
    weight: float
    districts: tuple[tuple[str, str], ...]


CITIES = (
    City(
        "shanghai",
        "上海",
        "Shanghai",
        15,
        (("静安", "Jing'an"), ("徐汇", "Xuhui"), ("浦东", "Pudong")),
    ),
    City(
        "beijing",
        "北京",
        "Beijing",
        13,
        (("朝阳", "Chaoyang"), ("海淀", "Haidian"), ("西城", "Xicheng")),
    ),
    City(
        "shenzhen",
        "深圳",
        "Shenzhen",
        10,
        (("南山", "Nanshan"), ("福田", "Futian"), ("宝安", "Bao'an")),
    ),
    City(
        "guangzhou",
        "广州",
        "Guangzhou",
        9,
        (("天河", "Tianhe"), ("越秀", "Yuexiu"), ("海珠", "Haizhu")),
    ),
    City(
        "hangzhou",
        "杭州",
        "Hangzhou",
        7,
        (("西湖", "Xihu"), ("滨江", "Binjiang"), ("拱墅", "Gongshu")),
    ),
    City(
        "chengdu",
        "成都",
        "Chengdu",
        7,
        (("锦江", "Jinjiang"), ("武侯", "Wuhou"), ("高新", "Gaoxin")),
    ),
    City(
        "chongqing",
        "重庆",
        "Chongqing",
        6,
        (("渝中", "Yuzhong"), ("江北", "Jiangbei"), ("南岸", "Nan'an")),
    ),
    City(
        "nanjing",
        "南京",
        "Nanjing",
        5,
        (("鼓楼", "Gulou"), ("秦淮", "Qinhuai"), ("建邺", "Jianye")),
    ),
    City(
        "wuhan",
        "武汉",
        "Wuhan",
        5,
        (("江汉", "Jianghan"), ("武昌", "Wuchang"), ("洪山", "Hongshan")),
    ),
    City("suzhou", "苏州", "Suzhou", 4, (("姑苏", "Gusu"), ("园区", "SIP"), ("吴中", "Wuzhong"))),
    City("xian", "西安", "Xi'an", 4, (("雁塔", "Yanta"), ("碑林", "Beilin"), ("未央", "Weiyang"))),
    City(
        "tianjin", "天津", "Tianjin", 4, (("和平", "Heping"), ("河西", "Hexi"), ("南开", "Nankai"))
    ),
    City(
        "qingdao",
        "青岛",
        "Qingdao",
        3,
        (("市南", "Shinan"), ("崂山", "Laoshan"), ("市北", "Shibei")),
    ),
    City(
        "changsha",
        "长沙",
        "Changsha",
        3,
        (("岳麓", "Yuelu"), ("雨花", "Yuhua"), ("天心", "Tianxin")),
    ),
    City("xiamen", "厦门", "Xiamen", 3, (("思明", "Siming"), ("湖里", "Huli"), ("集美", "Jimei"))),
)
"""Order is part of the format: a city's place here is its row in the truth."""


@dataclass(frozen=True, slots=True)
class CardProduct:
    """A card product: its id, tier, names, how common it is and whom it draws (persona loads)."""

    card_product_id: str
    tier: str
    zh: str
    en: str
    weight: float
    persona: int | None
    affluence: float


PRODUCTS = (
    CardProduct("std_classic", "classic", "标准普卡", "Standard Classic", 26, None, -0.8),
    CardProduct("campus_classic", "classic", "青春校园卡", "Campus Classic", 8, 4, -1.2),
    CardProduct("std_gold", "gold", "标准金卡", "Standard Gold", 22, None, 0.0),
    CardProduct("grocer_gold", "gold", "超市联名金卡", "Grocer Co-brand Gold", 8, 2, 0.0),
    CardProduct("auto_gold", "gold", "车主金卡", "Car Owner Gold", 9, 5, 0.3),
    CardProduct("online_gold", "gold", "网购联名金卡", "Online Shopping Gold", 9, 4, -0.1),
    CardProduct("std_platinum", "platinum", "标准白金卡", "Standard Platinum", 9, None, 0.9),
    CardProduct(
        "sky_platinum", "platinum", "航空联名白金卡", "Airline Co-brand Platinum", 5, 3, 1.0
    ),
    CardProduct("style_platinum", "platinum", "丽人白金卡", "Style Platinum", 3, 6, 0.8),
    CardProduct("world_elite", "world", "世界卡", "World", 2, 3, 2.0),
)
TIERS = ("classic", "gold", "platinum", "world")

SEGMENTS = (
    "foodie",
    "family",
    "frequent_traveller",
    "young_digital",
    "car_owner",
    "style_shopper",
    "senior",
    "affluent",
    "new_cardholder",
)
SEGMENT_PERSONA = (1, 2, 3, 4, 5, 6, 7)
"""Persona behind each of the first seven segments."""

USAGE_CHANNELS = ("pos", "qr", "online")
STATUSES = ("settled", "approved", "declined", "reversed", "returned")
OFFER_CHANNELS = ("mobile_app", "mini_program", "web", "push")
