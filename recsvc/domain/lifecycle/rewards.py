"""Which purchases earn an item's reward, and how much."""

from datetime import tzinfo

from embeddings.catalog import Item, MerchantOffer, Reward, RewardType
from embeddings.catalog.reward import RATED
from recsvc.domain.cardholder import Profile
from recsvc.domain.lifecycle.purchases import Purchase


def earns(item: Item, purchase: Purchase, zone: tzinfo) -> bool:
    """Whether a purchase is one that an offer rewards, whoever made it.

    At the offer's merchant (at any of its category when it names none), within its half-open
    window, on one of its weekdays, of at least its least spend. A benefit is never earned by
    paying: its use is told by an event of its own.
    """
    if not isinstance(item, MerchantOffer) or purchase.is_undone or not _is_there(item, purchase):
        return False
    terms = item.terms
    if terms.starts_at is not None and purchase.at < terms.starts_at:
        return False
    if terms.ends_at is not None and purchase.at >= terms.ends_at:
        return False
    if terms.days_of_week and purchase.at.astimezone(zone).isoweekday() not in terms.days_of_week:
        return False
    return is_enough(item, purchase)


def is_enough(item: Item, purchase: Purchase) -> bool:
    """Whether what is left of a purchase reaches an offer's least spend, in its currency.

    A rate that names money is of purchases in that currency: no rate of exchange is known here.
    """
    if not isinstance(item, MerchantOffer):
        return True
    least = item.reward.min_spend
    if least is None:
        return not is_rated(item) or currency_of(item) in (None, purchase.currency)
    return least.currency == purchase.currency and purchase.net_minor >= least.amount_minor


def _is_there(item: MerchantOffer, purchase: Purchase) -> bool:
    if item.merchant_id is not None:
        return purchase.merchant_id == item.merchant_id
    return purchase.mcc == item.mcc


def is_for(item: Item, profile: Profile) -> bool:
    """Whether an item's card terms admit the holder of this profile.

    One held card must be of a product and of a tier of the item, as eligibility has it.
    """
    terms = item.terms
    if terms.segments and not set(terms.segments) & set(profile.segments):
        return False
    if not terms.card_products and not terms.tiers:
        return True
    return any(
        (not terms.card_products or held.card_product_id in terms.card_products)
        and (not terms.tiers or held.tier in terms.tiers)
        for held in profile.card_products
    )


def reward_minor(item: Item, net_minor: int) -> int:
    """What a purchase of so much earns, in minor units; 0 for what is not money.

    A random discount counts as its largest until the issuer says otherwise.
    """
    if not isinstance(item, MerchantOffer):
        return 0
    reward = item.reward
    most = most_minor(reward)
    if reward.type in RATED:
        rated = net_minor * (reward.rate_bps or 0) // 10_000
        return rated if most is None else min(rated, most)
    return most or 0


def earned(item: Item, purchase: Purchase) -> tuple[int, str | None]:
    """What a purchase earns, in minor units, and their currency.

    A rate earns in the currency of the purchase, and nothing where it names money of another.
    """
    named = currency_of(item)
    if not is_rated(item):
        return reward_minor(item, purchase.net_minor), named
    if named not in (None, purchase.currency):
        return 0, named
    return reward_minor(item, purchase.net_minor), purchase.currency


def is_rated(item: Item) -> bool:
    """Whether an item gives back a share of what was paid."""
    return isinstance(item, MerchantOffer) and item.reward.type in RATED


def reserved_minor(item: Item) -> int:
    """What an activation sets aside: the most that it can come to, 0 where that is unbounded."""
    return (most_minor(item.reward) or 0) if isinstance(item, MerchantOffer) else 0


def most_minor(reward: Reward) -> int | None:
    """The most that one use can earn in minor units; None where no cap is named."""
    cap = reward.max_value if reward.type in (*RATED, RewardType.RANDOM_DISCOUNT) else reward.value
    return None if cap is None else cap.amount_minor


def currency_of(item: Item) -> str | None:
    """Currency of an offer's reward; None when it is not money."""
    if not isinstance(item, MerchantOffer):
        return None
    reward = item.reward
    named = reward.value or reward.min_spend or reward.min_value or reward.max_value
    return named.currency if named else None
