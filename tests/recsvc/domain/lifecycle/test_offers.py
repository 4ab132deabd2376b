"""Which events may change a use that others must know of at once."""

import pytest

from embeddings.catalog import Catalog, parse_item
from recsvc.domain.lifecycle.offers import Concern, OfferBook
from tests.bundles import a_benefit, an_offer
from tests.happenings import a_payment, an_event

LIMITED = {"total": {"count": 3}}
TAKEN = {"requires_activation": True}
BOOK = OfferBook.of(
    Catalog.of(
        parse_item(document)
        for document in (
            a_benefit("lounge"),
            an_offer("free", merchant_id="m_free"),
            an_offer("taken", merchant_id="m_taken", terms=TAKEN),
            an_offer("taken_too", merchant_id="m_both", terms=TAKEN),
            an_offer("limited", merchant_id="m_both", budget=LIMITED),
            an_offer("anywhere", merchant_id=None, mcc="5411", budget=LIMITED),
        )
    )
)


@pytest.mark.parametrize(
    ("merchant_id", "mcc", "concern"),
    [
        ("m_free", "5812", Concern.NONE),
        ("m_taken", "5812", Concern.IF_ACTIVATED),
        ("m_both", "5812", Concern.ALWAYS),
        ("m_both", None, Concern.ALWAYS),
        ("m_taken", "5411", Concern.ALWAYS),
        ("m_taken", None, Concern.IF_ACTIVATED),
        ("m_unknown", "5411", Concern.ALWAYS),
        ("m_unknown", None, Concern.NONE),
    ],
)
def test_a_payment_concerns_whoever_has_most_at_stake_there(
    merchant_id: str, mcc: str | None, concern: Concern
) -> None:
    assert BOOK.concern(a_payment(merchant_id=merchant_id, mcc=mcc)) is concern


@pytest.mark.parametrize("status", ["reversed", "returned"])
def test_what_is_taken_back_always_concerns_as_it_may_name_another_merchant(status: str) -> None:
    assert BOOK.concern(a_payment(status, merchant_id="m_unknown")) is Concern.ALWAYS


@pytest.mark.parametrize(
    ("kind", "item_id", "concern"),
    [
        ("activated", "free", Concern.ALWAYS),
        ("redeemed", "lounge", Concern.ALWAYS),
        ("activated", "unknown", Concern.NONE),
        ("viewed", "limited", Concern.NONE),
        ("dismissed", "taken", Concern.NONE),
    ],
)
def test_a_use_of_a_known_item_always_concerns_and_a_look_at_it_never(
    kind: str, item_id: str, concern: Concern
) -> None:
    assert BOOK.concern(an_event(kind, item_id=item_id)) is concern
