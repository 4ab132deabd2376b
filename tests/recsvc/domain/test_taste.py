"""What is known of a taste: the stored vector, or the fold-in of old and new together."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from embeddings.interactions import EventType, EventWeights, TransactionStatus
from recsvc.domain.cardholder import Contact
from recsvc.domain.known import is_news, stream_position
from recsvc.domain.taste import taste_of
from tests.bundles import an_offer
from tests.worlds import NOW, a_cardholder, a_model, a_purchase, an_opted_out, bundle_of

MODEL = a_model()
BUNDLE = MODEL.bundle
assert BUNDLE is not None
TRAINED = BUNDLE.model


def column(name: str) -> int:
    return TRAINED.columns.row(name) or 0


def strengths(contacts: tuple[Contact, ...], cardholder_id: str = "ch_3") -> dict[int, float]:
    cells = taste_of(MODEL, a_cardholder(cardholder_id, contacts=contacts)).cells
    return dict(zip(cells.keys.tolist(), cells.strength.tolist(), strict=True))


def test_with_nothing_new_the_vector_is_the_stored_one() -> None:
    taste = taste_of(MODEL, a_cardholder("ch_3"))

    stored = TRAINED.factors.cardholders[TRAINED.cardholders.row("ch_3") or 0]
    np.testing.assert_array_equal(taste.vector, stored)


def test_what_the_bundle_knows_already_changes_nothing() -> None:
    old = a_purchase("m_2", occurred_at=NOW - timedelta(days=30))

    assert strengths((old,)) == strengths(())


def test_a_new_purchase_adds_to_its_merchant_and_its_category() -> None:
    before, after = strengths(()), strengths((a_purchase("m_1"),))

    weight = EventWeights().transaction
    gained = {c: after[c] - before.get(c, 0) for c in after if after[c] != before.get(c, 0)}
    assert gained == pytest.approx(
        {column("merchant:m_1"): weight, column("category:5411"): weight}
    )


def test_approved_and_settled_are_one_purchase_in_either_order() -> None:
    approved = a_purchase(
        "m_1", status=TransactionStatus.APPROVED, occurred_at=NOW - timedelta(hours=3)
    )
    settled = a_purchase("m_1")

    assert (
        strengths((approved, settled)) == strengths((settled, approved)) == strengths((approved,))
    )


@pytest.mark.parametrize("status", [TransactionStatus.REVERSED, TransactionStatus.RETURNED])
def test_a_purchase_that_was_undone_leaves_nothing(status: TransactionStatus) -> None:
    undone = (a_purchase("m_2"), a_purchase("m_2", status=status))

    assert strengths(undone) == strengths(undone[::-1]) == strengths(())


def test_a_declined_payment_is_no_visit() -> None:
    assert strengths((a_purchase("m_2", status=TransactionStatus.DECLINED),)) == strengths(())


def test_a_refund_of_an_older_purchase_takes_from_what_is_stored() -> None:
    refund = a_purchase("m_1", status=TransactionStatus.RETURNED)

    after = strengths((refund,))

    assert after[column("merchant:m_1")] == pytest.approx(1.0)


def test_the_vector_with_news_is_the_fold_in_of_all() -> None:
    taste = taste_of(MODEL, a_cardholder("ch_3", contacts=(a_purchase("m_2", "5812"),)))

    expected = TRAINED.factors.fold_in(taste.cells.keys.astype(np.int32), taste.cells.strength)
    np.testing.assert_array_equal(taste.vector, expected)


def test_an_activation_moves_the_items_own_column_when_it_has_one() -> None:
    activated = Contact(event_type=EventType.ACTIVATED, occurred_at=NOW, item_id="offer_1")

    assert strengths((activated,)) == strengths(())  # no item has history in this world


def test_a_merchant_that_only_the_catalogue_mentions_still_counts_as_visited() -> None:
    model = a_model(an_offer("offer_new", merchant_id="m_new", mcc="5411"))

    taste = taste_of(model, a_cardholder("ch_3", contacts=(a_purchase("m_new", "5411"),)))

    row = model.space.links[0].merchants[0]
    assert taste.visits()[row] == 1
    assert row >= len(TRAINED.columns)


def test_without_consent_there_is_no_taste_at_all() -> None:
    taste = taste_of(MODEL, an_opted_out("ch_3", contacts=(a_purchase("m_1"),)))

    assert taste.vector is None
    assert taste.cells.keys.size == 0


def test_a_place_in_the_stream_decides_over_the_date_when_the_bundle_knows_one() -> None:
    bundle = bundle_of(events_through="1770000000000-5")
    late = a_purchase("m_1", occurred_at=NOW - timedelta(days=300), position="1770000000000-6")
    known = a_purchase("m_1", occurred_at=NOW, position="1770000000000-5")

    assert is_news(bundle, late)
    assert not is_news(bundle, known)


def test_a_bundle_that_names_an_instant_in_place_of_a_place_is_read_by_its_dates() -> None:
    bundle = bundle_of(events_through="2026-01-10T09:00:00.000000Z")
    ends_at = bundle.manifest.window.ends_at
    late, known = (
        a_purchase("m_1", occurred_at=at, position="1770000000000-5")
        for at in (ends_at, ends_at - timedelta(seconds=1))
    )

    assert bundle.manifest.events_through is None
    assert is_news(bundle, late)
    assert not is_news(bundle, known)


def test_places_in_the_stream_compare_as_numbers() -> None:
    assert stream_position("9-10") > stream_position("9-9")
    assert stream_position("10-0") > stream_position("9-99")


def test_a_contact_that_says_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="status"):
        Contact(event_type=EventType.TRANSACTION, occurred_at=NOW)
    with pytest.raises(ValueError, match="zone"):
        Contact(event_type=EventType.CLICKED, occurred_at=NOW.replace(tzinfo=None))


DELETED_AT = NOW - timedelta(days=2)
M_4 = "merchant:m_4"


def visits_at(column_id: str, through: datetime | None, *contacts: Contact) -> int:
    """Visits of ch_0 to a column that he deleted, by a bundle that knew of deletions so far."""
    model = a_model(bundle=bundle_of(interests_deleted_through=through))
    state = a_cardholder("ch_0", contacts=contacts, forgotten={column_id: DELETED_AT})
    return taste_of(model, state).visits().get(column(column_id), 0)


def test_what_a_bundle_has_of_a_deleted_interest_counts_only_where_it_knew_of_the_deletion() -> (
    None
):
    known = taste_of(MODEL, a_cardholder("ch_0")).visits()[column(M_4)]

    assert known > 0
    assert visits_at(M_4, DELETED_AT) == known
    assert visits_at(M_4, DELETED_AT - timedelta(microseconds=1)) == 0
    assert visits_at(M_4, None) == 0


@pytest.mark.parametrize("hours", [-1.0, 0.0])
def test_what_he_did_until_he_deleted_it_never_counts(hours: float) -> None:
    before = a_purchase("m_4", occurred_at=DELETED_AT + timedelta(hours=hours))

    assert visits_at(M_4, None, before) == 0
    assert visits_at("category:5812", None, before) == 0


def test_what_a_bundle_could_not_count_counts_from_his_events() -> None:
    """All since the deletion where it knew nothing of it; else the rest of that day."""
    ends_at = DELETED_AT + timedelta(days=10)
    window = {"starts_at": NOW - timedelta(days=400), "ends_at": ends_at}
    same_day = a_purchase("m_4", occurred_at=DELETED_AT + timedelta(hours=1), transaction_id="a")
    next_day = a_purchase("m_4", occurred_at=DELETED_AT + timedelta(days=1), transaction_id="b")
    of = {}
    for through in (None, NOW):
        bundle = bundle_of(interests_deleted_through=through, window=window)
        state = a_cardholder(
            "ch_0", contacts=(same_day, next_day), forgotten={M_4: DELETED_AT, "merchant:m_2": NOW}
        )
        assert not is_news(bundle, same_day)
        of[through] = taste_of(a_model(bundle=bundle), state).visits()[column(M_4)]
    stored = taste_of(MODEL, a_cardholder("ch_0")).visits()[column(M_4)]

    assert of == {None: 2, NOW: stored + 1}


def test_a_purchase_that_was_undone_after_the_deletion_of_its_merchant_is_none() -> None:
    paid = a_purchase("m_4", occurred_at=DELETED_AT - timedelta(hours=1))
    undone = a_purchase("m_4", status=TransactionStatus.REVERSED)

    assert visits_at(M_4, None, paid, undone) == 0
    assert visits_at(M_4, None, paid, undone, a_purchase("m_4", transaction_id="new")) == 1
