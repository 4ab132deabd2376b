"""What things are called in the language of the sentence that names them."""

import re

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
BOTH = " / "
"""Stands between a name's two languages, the Chinese first: ``云朵咖啡 / Cloud Petal Coffee``."""

NAMELESS = {
    "merchant": {"zh-CN": "该商户", "en": "this merchant"},
    "category": {"zh-CN": "同", "en": "this category"},
    "city": {"zh-CN": "您所在城市", "en": "your city"},
}
"""What stands in a sentence for a thing whose name is not known."""

CATEGORIES = {
    "dining": ("餐饮", "dining"),
    "coffee": ("咖啡", "coffee"),
    "groceries": ("商超", "groceries"),
    "grocery": ("商超", "groceries"),
    "supermarket": ("超市", "supermarkets"),
    "convenience": ("便利店", "convenience stores"),
    "travel": ("旅行", "travel"),
    "hotel": ("酒店", "hotels"),
    "airline": ("航空", "flights"),
    "transport": ("出行", "transport"),
    "fuel": ("加油", "fuel"),
    "shopping": ("购物", "shopping"),
    "online": ("网购", "online shopping"),
    "fashion": ("服饰", "fashion"),
    "electronics": ("数码", "electronics"),
    "home": ("家居", "home goods"),
    "entertainment": ("娱乐", "entertainment"),
    "cinema": ("电影", "the cinema"),
    "sports": ("运动", "sports"),
    "fitness": ("健身", "fitness"),
    "beauty": ("美容", "beauty"),
    "health": ("健康", "health"),
    "education": ("教育", "education"),
    "books": ("图书", "books"),
    "kids": ("亲子", "things for children"),
    "family": ("亲子", "the family"),
    "pets": ("宠物", "pets"),
    "car": ("汽车", "your car"),
    "auto": ("汽车", "your car"),
    "utilities": ("生活缴费", "utility bills"),
    "lounge": ("贵宾厅", "airport lounges"),
    "insurance": ("保险", "insurance"),
    "instalment": ("分期", "instalments"),
    "membership": ("会员", "memberships"),
}
"""Names of the usual category labels, Chinese and English, as they stand in a sentence."""

CITIES = {
    "beijing": ("北京", "Beijing"),
    "changchun": ("长春", "Changchun"),
    "changsha": ("长沙", "Changsha"),
    "changzhou": ("常州", "Changzhou"),
    "chengdu": ("成都", "Chengdu"),
    "chongqing": ("重庆", "Chongqing"),
    "dalian": ("大连", "Dalian"),
    "dongguan": ("东莞", "Dongguan"),
    "foshan": ("佛山", "Foshan"),
    "fuzhou": ("福州", "Fuzhou"),
    "guangzhou": ("广州", "Guangzhou"),
    "guiyang": ("贵阳", "Guiyang"),
    "haikou": ("海口", "Haikou"),
    "hangzhou": ("杭州", "Hangzhou"),
    "harbin": ("哈尔滨", "Harbin"),
    "hefei": ("合肥", "Hefei"),
    "hohhot": ("呼和浩特", "Hohhot"),
    "hong_kong": ("香港", "Hong Kong"),
    "jinan": ("济南", "Jinan"),
    "kunming": ("昆明", "Kunming"),
    "lanzhou": ("兰州", "Lanzhou"),
    "lhasa": ("拉萨", "Lhasa"),
    "macao": ("澳门", "Macao"),
    "nanchang": ("南昌", "Nanchang"),
    "nanjing": ("南京", "Nanjing"),
    "nanning": ("南宁", "Nanning"),
    "ningbo": ("宁波", "Ningbo"),
    "qingdao": ("青岛", "Qingdao"),
    "sanya": ("三亚", "Sanya"),
    "shanghai": ("上海", "Shanghai"),
    "shenyang": ("沈阳", "Shenyang"),
    "shenzhen": ("深圳", "Shenzhen"),
    "shijiazhuang": ("石家庄", "Shijiazhuang"),
    "suzhou": ("苏州", "Suzhou"),
    "taiyuan": ("太原", "Taiyuan"),
    "tianjin": ("天津", "Tianjin"),
    "urumqi": ("乌鲁木齐", "Urumqi"),
    "wenzhou": ("温州", "Wenzhou"),
    "wuhan": ("武汉", "Wuhan"),
    "wuxi": ("无锡", "Wuxi"),
    "xiamen": ("厦门", "Xiamen"),
    "xian": ("西安", "Xi'an"),
    "xining": ("西宁", "Xining"),
    "yantai": ("烟台", "Yantai"),
    "yinchuan": ("银川", "Yinchuan"),
    "zhengzhou": ("郑州", "Zhengzhou"),
    "zhuhai": ("珠海", "Zhuhai"),
}
"""Names of cities by the words that issuers use for them, Chinese and English."""

_BY_NAME = {zh: word for word, (zh, _) in CITIES.items()} | {
    en.casefold(): word for word, (_, en) in CITIES.items()
}


def category_name(label: str, locale: str) -> str:
    """A category label as it is read in a language; the label itself where none is known."""
    names = CATEGORIES.get(label.casefold())
    if names is not None:
        return names[0] if locale == "zh-CN" else names[1]
    return label.replace("_", " ")


def city_name(label: str, locale: str) -> str:
    """A city as it is read in a language; the label itself where none is known."""
    word = label.casefold()
    names = CITIES.get(_BY_NAME.get(word.removesuffix("市"), word))
    if names is not None:
        return names[0] if locale == "zh-CN" else names[1]
    return name_in(label, locale)


def name_in(label: str, locale: str) -> str:
    """The part of a name that is in a language, where it is written in two; else all of it."""
    chinese, mark, other = label.partition(BOTH)
    if not mark or not HAN.search(chinese) or HAN.search(other):
        return label
    return chinese if locale == "zh-CN" else other


def spoken(kind: str, label: object, locale: str) -> str:
    """What stands in a sentence for a thing of a kind; a paraphrase where it has no name."""
    if not label:
        return NAMELESS[kind][locale]
    if kind == "city":
        return city_name(str(label), locale)
    name = str(label)
    return name_in(name, locale) if BOTH in name else name
