# ruff: noqa: E501 - a table reads best with one entry a line
"""Words of the catalogue, as a Chinese issuer's marketing department would write them."""

from dataclasses import dataclass

from embeddings.catalog import BenefitType, RewardType


@dataclass(frozen=True, slots=True)
class Phrase:
    """Title and description in both languages, with named blanks."""

    zh: str
    en: str
    long_zh: str
    long_en: str

    def filled(self, **blanks: str) -> tuple[dict[str, str], dict[str, str]]:
        """Title and description as localised texts.

        Every blank has a Chinese and an English form: ``where`` fills from ``where_zh`` and
        ``where_en``; a blank without such forms is the same in both.
        """
        zh = {k.removesuffix("_zh"): v for k, v in blanks.items() if not k.endswith("_en")}
        en = {k.removesuffix("_en"): v for k, v in blanks.items() if not k.endswith("_zh")}
        title = {"zh-CN": self.zh.format(**zh), "en": self.en.format(**en)}
        return title, {"zh-CN": self.long_zh.format(**zh), "en": self.long_en.format(**en)}


OFFERS: dict[RewardType, Phrase] = {
    RewardType.CASHBACK_PERCENT: Phrase(
        "{where}刷卡返现{rate}%", "{rate}% cash back at {where}",
        "在{where}用本行信用卡消费享{rate}%返现,单笔最高返{cap}元,每户每月限享{times}次。",
        "Pay with your card at {where} and get {rate}% back, up to CNY {cap} a purchase, {times} a month.",
    ),
    RewardType.CASHBACK_FIXED: Phrase(
        "{where}满{min}元返{value}元", "CNY {value} cash back on {min} at {where}",
        "在{where}单笔消费满{min}元返现{value}元,返现于次月入账。",
        "Spend CNY {min} in one purchase at {where} and get CNY {value} back the next month.",
    ),
    RewardType.STATEMENT_CREDIT: Phrase(
        "{where}{value}元立减金", "CNY {value} statement credit at {where}",
        "活动期间在{where}消费满{min}元,获{value}元账单抵扣,先到先得。",
        "Spend CNY {min} at {where} for a CNY {value} credit on your statement, first come, first served.",
    ),
    RewardType.POINTS_MULTIPLIER: Phrase(
        "{where}消费{multiplier}倍积分", "{multiplier}x points at {where}",
        "在{where}消费享{multiplier}倍积分,多倍积分次月到账。",
        "Earn {multiplier} times the points at {where}; the extra points arrive the next month.",
    ),
    RewardType.POINTS_BONUS: Phrase(
        "{where}消费满{min}元送{points}积分", "{points} bonus points at {where}",
        "在{where}单笔消费满{min}元即送{points}积分,可兑换权益与礼品。",
        "Spend CNY {min} in one purchase at {where} and get {points} points to redeem for benefits and gifts.",
    ),
    RewardType.SPEND_AND_GET: Phrase(
        "{where}满{min}减{value}", "CNY {value} off {min} at {where}",
        "在{where}单笔消费满{min}元立减{value}元,每户每月限享{times}次,名额有限。",
        "CNY {value} off a purchase of CNY {min} or more at {where}, {times} a month, while stocks last.",
    ),
    RewardType.INSTANT_DISCOUNT: Phrase(
        "{where}立减{value}元", "CNY {value} off at {where}",
        "在{where}支付时立减{value}元,每日名额先到先得。",
        "CNY {value} off when you pay at {where}; a limited number each day.",
    ),
    RewardType.RANDOM_DISCOUNT: Phrase(
        "{where}随机立减,最高{cap}元", "Lucky discount up to CNY {cap} at {where}",
        "在{where}支付享{low}元至{cap}元随机立减,每日一次机会。",
        "Pay at {where} for a lucky discount of CNY {low} to {cap}, once a day.",
    ),
    RewardType.PERCENT_DISCOUNT: Phrase(
        "{where}{fold}折优惠", "{rate}% off at {where}",
        "在{where}消费享{fold}折,最高优惠{cap}元。",
        "{rate}% off at {where}, up to CNY {cap}.",
    ),
    RewardType.COUPON: Phrase(
        "领{where}{value}元优惠券", "CNY {value} coupon for {where}",
        "在手机银行领取{where}{value}元优惠券,满{min}元可用。",
        "Claim a CNY {value} coupon for {where} in the app, valid on purchases of CNY {min} or more.",
    ),
    RewardType.INSTALMENT: Phrase(
        "{where}{periods}期分期{fee}", "{periods} instalments at {where}, {fee}",
        "在{where}消费满{min}元可办理{periods}期分期,{fee}。",
        "Split a purchase of CNY {min} or more at {where} into {periods} instalments, {fee}.",
    ),
    RewardType.FEE_WAIVER: Phrase(
        "{where}消费满{min}元免次年年费", "Next year's card fee waived with {where}",
        "活动期间在{where}累计消费满{min}元,免次年年费。",
        "Spend CNY {min} in total at {where} and next year's card fee is waived.",
    ),
    RewardType.EXPERIENCE: Phrase(
        "{where}专属体验礼遇", "A special experience at {where}",
        "持卡人专享{where}体验活动一次,需提前预约。",
        "One cardholder-only experience at {where}; book ahead.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BenefitText:
    """A benefit of the card: what it is, what it hangs on and which tiers have it."""

    kind: BenefitType
    category: str
    mccs: tuple[str, ...]
    tiers: tuple[str, ...]
    phrase: Phrase


def _b(  # noqa: PLR0913, PLR0917 - one line of the table below
    kind: BenefitType,
    category: str,
    mccs: str,
    tiers: str,
    zh: str,
    en: str,
    long_zh: str,
    long_en: str,
) -> BenefitText:
    """Read one line of the table."""  # fmt: skip
    return BenefitText(
        kind, category, tuple(mccs.split()), tuple(tiers.split()), Phrase(zh, en, long_zh, long_en)
    )


HIGH, MIDDLE, ALL = "platinum world", "gold platinum world", ""
BENEFITS = (
    _b(BenefitType.LOUNGE, "travel", "4511", HIGH, "机场贵宾厅每年{count}次", "{count} airport lounge visits a year",
       "凭卡与当日登机牌享全国机场贵宾厅服务,每年{count}次,可携伴一人。", "Airport lounges across the country, {count} visits a year, one guest welcome."),
    _b(BenefitType.POINTS_MULTIPLIER, "dining", "5812 5813 5814 5462", MIDDLE, "生日当月餐饮双倍积分", "Double points on dining in your birthday month",
       "生日当月餐饮类消费自动享双倍积分,全年上限{cover}积分。", "Dining in your birthday month earns double points, up to {cover} a year."),
    _b(BenefitType.INSURANCE, "travel", "4511 4112", MIDDLE, "航班延误险,延误{hours}小时赔付", "Flight delay cover after {hours} hours",
       "刷卡支付机票全款,航班延误{hours}小时即赔,最高{cap}00元。", "Pay your fare by card and be paid from {hours} hours' delay, up to CNY {cap}00."),
    _b(BenefitType.INSTALMENT, "electronics", "5732 5712", ALL, "数码家电{periods}期分期免息", "{periods} interest-free instalments on electronics",
       "购数码、家电满1000元,可享{periods}期分期免息免手续费。", "Spread electronics of CNY 1,000 or more over {periods} months, no interest, no fee."),
    _b(BenefitType.MEMBERSHIP, "entertainment", "5815", MIDDLE, "视频会员月卡{count}张任选", "{count} months of a video membership",
       "每年可领{count}张视频会员月卡,手机银行一键兑换。", "Claim {count} months of video membership each year in the app."),
    _b(BenefitType.FEE_WAIVER, "online", "5262", ALL, "年内消费{count}0笔免年费", "Annual fee waived after {count}0 purchases",
       "卡片有效期内每年消费满{count}0笔,免次年年费。", "Make {count}0 purchases a year and next year's fee is waived."),
    _b(BenefitType.CONCIERGE, "travel", "7011 4722", "world", "全球白金礼宾服务", "Worldwide concierge",
       "7×24小时礼宾服务:餐厅预订、酒店安排、紧急支援。", "Concierge around the clock: tables, hotels, help in an emergency."),
    _b(BenefitType.TRANSFER, "travel", "4121 4511", HIGH, "机场接送每年{count}次", "{count} airport transfers a year",
       "专车接送机服务,单程50公里内,每年{count}次。", "A chauffeured airport transfer within 50 km, {count} times a year."),
    _b(BenefitType.HEALTH, "health", "8011", HIGH, "年度口腔护理{count}次", "{count} dental cleanings a year",
       "合作口腔机构洁牙护理,每年{count}次,需提前预约。", "Dental cleaning at partner clinics, {count} times a year; book ahead."),
    _b(BenefitType.EXPERIENCE, "sports", "7997 7941", HIGH, "高端健身体验{count}次", "{count} premium gym visits",
       "合作健身会所及场馆体验,每年{count}次。", "Partner gyms and courts, {count} visits a year."),
    _b(BenefitType.CASHBACK, "auto", "5541", ALL, "加油返现{rate}%", "{rate}% back on fuel",
       "加油消费享{rate}%返现,每月最高{cap}元。", "{rate}% back on fuel, up to CNY {cap} a month."),
    _b(BenefitType.POINTS_MULTIPLIER, "fashion", "5311 5651 5691 5977", ALL, "商场与美妆消费{multiplier}倍积分", "{multiplier}x points on fashion and beauty",
       "百货、服饰、美妆类消费享{multiplier}倍积分。", "Department stores, clothes and cosmetics earn {multiplier} times the points."),
    _b(BenefitType.INSURANCE, "auto", "5541 7542 4784", MIDDLE, "道路救援与驾乘意外险{cover}元", "Roadside help and CNY {cover} driver's accident cover",
       "持卡人享全国道路救援每年{count}次,驾乘意外保障{cover}元。", "Roadside help {count} times a year and CNY {cover} of accident cover."),
    _b(BenefitType.MEMBERSHIP, "groceries", "5411", ALL, "会员店年费{value}元抵扣", "CNY {value} off a warehouse club membership",
       "用本卡办理会员店年卡,享{value}元抵扣。", "CNY {value} off when you join the warehouse club with this card."),
    _b(BenefitType.TRANSFER, "travel", "4112", HIGH, "高铁贵宾厅每年{count}次", "{count} railway lounge visits a year",
       "全国主要高铁站贵宾候车,每年{count}次。", "Lounges at the main railway stations, {count} visits a year."),
    _b(BenefitType.INSTALMENT, "education", "8299", ALL, "教育分期{periods}期低至0.3%", "{periods} instalments on education from 0.3%",
       "培训与学费支付可享{periods}期分期,手续费优惠。", "Pay tuition in {periods} instalments at a reduced fee."),
    _b(BenefitType.EXPERIENCE, "beauty", "7230 7298", "platinum world", "美发造型礼遇{count}次", "{count} salon visits",
       "合作沙龙洗剪吹服务,每年{count}次。", "Wash, cut and style at partner salons, {count} times a year."),
    _b(BenefitType.CASHBACK, "family", "5641 5945 8299", ALL, "亲子消费返现{rate}%", "{rate}% back on family spending",
       "母婴、玩具、教育类消费返现{rate}%,每月最高{cap}元。", "{rate}% back on baby goods, toys and education, up to CNY {cap} a month."),
    _b(BenefitType.MEMBERSHIP, "transport", "4111 4121", ALL, "通勤月卡立省{value}元", "CNY {value} off a commuter pass",
       "地铁公交月卡用本卡购买立减{value}元,每月一次。", "CNY {value} off the monthly metro and bus pass bought with this card."),
    _b(BenefitType.HEALTH, "health", "8011 5912", MIDDLE, "在线问诊与购药{rate}%优惠", "{rate}% off online doctors and medicines",
       "持卡人及家属在线问诊、购药享{rate}%优惠。", "{rate}% off online consultations and medicines for you and your family."),
)  # fmt: skip
