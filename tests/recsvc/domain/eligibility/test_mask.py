"""The mask over all items equals the judging of each: the law of eligibility."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.catalog import Catalog, Channel, ItemKind, Period, parse_item
from embeddings.vocabulary import ColumnKind
from recsvc.domain.cardholder import Activation, DayUse, HeldProduct, ItemUse, Profile
from recsvc.domain.eligibility import Circumstances, judge
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import Moment, day_number
from tests.bundles import a_benefit, an_offer
from tests.worlds import NOW, bundle_of

ZONE = ZoneInfo("Asia/Shanghai")
BUNDLE = bundle_of()
PRODUCTS, TIERS = ("travel", "everyday"), ("gold", "classic")
CITIES, SEGMENTS = ("Beijing", "Shanghai"), ("vip", "student")
ITEM_IDS = [f"item_{n}" for n in range(8)]


def some(values: tuple[Any, ...]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


instants = st.integers(-3, 3).map(lambda days: (NOW + timedelta(days=days)).isoformat())
recencies = st.sampled_from(
    [
        None,
        {"at": "merchant", "min_days": 5},
        {"at": "category", "min_days": 5},
        {"at": "merchant", "max_days": 5},
        {"at": "category", "min_days": 2, "max_days": 9},
    ]
)


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    window = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
    found: dict[str, Any] = {
        "card_products": draw(some(PRODUCTS)),
        "tiers": draw(some(TIERS)),
        "cities": draw(some(CITIES)),
        "segments": draw(some(SEGMENTS)),
        "channels": draw(some(("mobile_app", "web"))),
        "days_of_week": draw(st.lists(st.integers(1, 7), max_size=3)),
        "requires_activation": draw(st.booleans()),
    }
    if draw(st.booleans()):
        found |= {"starts_at": window[0], "ends_at": window[1]}
    if (recency := draw(recencies)) is not None:
        found["customer_recency"] = recency
    if draw(st.booleans()):
        found["exclusive_group"] = draw(st.sampled_from(("one", "two")))
    return {name: value for name, value in found.items() if value not in ([], None)}


@st.composite
def documents(draw: st.DrawFn, item_id: str) -> dict[str, Any]:
    period = draw(st.sampled_from(list(Period)))
    shared = {
        "terms": draw(terms()),
        "state": draw(st.sampled_from(["live", "live", "live", "paused", "draft"])),
        "category": draw(st.sampled_from(["dining", "travel"])),
    }
    if draw(st.booleans()):
        quota = {"count": draw(st.integers(1, 3)), "period": period}
        return a_benefit(item_id, quota=quota, mccs=["5411"], **shared)
    cap: dict[str, Any] = {"period": period, "count": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        cap["amount"] = {"amount_minor": 500, "currency": "CNY"}
    merchant = draw(st.sampled_from(["m_0", "m_1", "m_unheard_of", None]))
    return an_offer(item_id, merchant_id=merchant, budget={"per_cardholder": cap}, **shared)


catalogs = st.tuples(*(documents(item_id) for item_id in ITEM_IDS)).map(
    lambda found: Catalog.of(parse_item(document) for document in found)
)
uses = st.builds(
    ItemUse,
    st.sampled_from(list(Activation)),
    st.lists(
        st.builds(
            DayUse,
            st.integers(-400, 0).map(lambda ago: day_number(NOW.date()) + ago),
            st.integers(0, 2),
            st.integers(0, 600),
        ),
        max_size=3,
    ).map(tuple),
)
profiles = st.builds(
    Profile,
    st.lists(
        st.builds(HeldProduct, st.sampled_from(PRODUCTS), st.sampled_from(TIERS)), max_size=2
    ).map(tuple),
    st.sampled_from([None, *CITIES]),
    some(SEGMENTS).map(tuple),
)
circumstances = st.builds(
    Circumstances,
    moment=st.integers(-80, 80).map(lambda hours: Moment.of(NOW + timedelta(hours=hours), ZONE)),
    profile=profiles,
    channel=st.sampled_from([None, Channel.MOBILE_APP, Channel.WEB]),
    sees_segments=st.booleans(),
    sees_history=st.booleans(),
    dismissals=st.dictionaries(
        st.sampled_from(ITEM_IDS), st.sampled_from([NOW, NOW + timedelta(days=9)]), max_size=2
    ),
    uses=st.dictionaries(st.sampled_from([*ITEM_IDS, "gone"]), uses, max_size=3),
    exclude=st.frozensets(st.sampled_from([*ITEM_IDS, "gone"]), max_size=2),
    kinds=st.sampled_from([frozenset(ItemKind), frozenset({ItemKind.BENEFIT})]),
    category=st.sampled_from([None, "dining"]),
)
purchases = st.dictionaries(
    st.sampled_from(
        [
            (ColumnKind.MERCHANT, "m_0"),
            (ColumnKind.MERCHANT, "m_unheard_of"),
            (ColumnKind.CATEGORY, "5411"),
            (ColumnKind.CATEGORY, "5812"),
        ]
    ),
    st.integers(-12, 1),
    max_size=4,
)
today = day_number(NOW.date())


@given(catalogs, circumstances, purchases, st.frozensets(st.sampled_from(ITEM_IDS), max_size=2))
@settings(max_examples=100, deadline=None)
def test_the_mask_admits_exactly_the_items_against_which_nothing_speaks(
    catalog: Catalog,
    asked: Circumstances,
    bought: dict[tuple[ColumnKind, str], int],
    exhausted: frozenset[str],
) -> None:
    model = ServingModel.build("demo", BUNDLE, catalog, "1", exhausted=exhausted)
    days = {model.space.columns.row(*column): today + ago for column, ago in bought.items()}
    known = sorted((row, day) for row, day in days.items() if row is not None)
    last_days = (
        np.array([row for row, _ in known], np.int64),
        np.array([day for _, day in known], np.int32),
    )

    mask = model.tables.mask(asked, last_days)
    eligible = model.tables.eligible(asked, last_days, model.tables.by_terms(asked))

    assert [eligible.admits(row) for row in range(mask.size)] == mask.tolist()
    assert eligible.mask.tolist() == mask.tolist()
    backwards = np.arange(mask.size, dtype=np.int32)[::-1]
    assert list(eligible.among(backwards)) == [r for r in backwards.tolist() if mask[r]]
    for row, item in enumerate(catalog.items):
        refusals = judge(
            item,
            asked,
            last_purchase_day=last_day_written_out(item, bought),
            exhausted=item.item_id in exhausted,
            active_groups=groups_of_others(catalog, item.item_id, asked),
        )
        assert mask[row] == (not refusals), (item, refusals)
        assert model.tables.refusals(item.item_id, asked, last_days) == refusals


def last_day_written_out(item: Any, bought: dict[tuple[ColumnKind, str], int]) -> int | None:
    recency = item.terms.customer_recency
    if recency is None:
        return None
    kind = ColumnKind.MERCHANT if recency.at == "merchant" else ColumnKind.CATEGORY
    places = item.merchants() if recency.at == "merchant" else item.categories()
    days = [today + bought[kind, place] for place in places if (kind, place) in bought]
    return max(days, default=None)


def groups_of_others(catalog: Catalog, item_id: str, asked: Circumstances) -> set[str]:
    """Exclusive groups of the items he has activated, other than this one."""
    active = [
        catalog.get(other)
        for other, use in asked.uses.items()
        if other != item_id and use.activation in (Activation.ACTIVATED, Activation.REDEEMED)
    ]
    return {i.terms.exclusive_group for i in active if i and i.terms.exclusive_group}
