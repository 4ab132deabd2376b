"""An event is written in one way, whoever tells of it, and the archive can read it."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from recsvc.api.event_bodies import EventBody
from recsvc.domain.lifecycle import EventRecord
from recsvc.stores.events.archive import StreamEntry
from recsvc.stores.events.entry import encode_entry
from recsvc.workers.archiver import row_of

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
VIEWED = {
    "event_id": "e_1",
    "type": "viewed",
    "cardholder_id": "ch_1",
    "item_id": "offer_1",
    "occurred_at": "2026-03-04T20:00:00+08:00",
}
PAID = {
    "transaction_id": "tx_1",
    "merchant_id": "m_1",
    "mcc": "5812",
    "amount": {"amount_minor": 1500, "currency": "CNY"},
    "status": "settled",
    "city": "上海",
}
BOUGHT = {**VIEWED, "type": "transaction", "transaction": PAID}


@pytest.mark.parametrize("event", [VIEWED, BOUGHT, {**VIEWED, "type": "redeemed"}])
def test_an_event_is_written_alike_from_a_request_and_from_what_is_kept_of_it(
    event: dict[str, Any],
) -> None:
    told = EventBody.model_validate_json(orjson.dumps(event))
    kept = EventRecord.of(told, NOON)

    assert encode_entry(told, "ch_1", NOON) == encode_entry(kept, "ch_1", NOON)


def test_the_archive_reads_every_word_that_was_told() -> None:
    told = EventBody.model_validate_json(orjson.dumps(BOUGHT))
    entry = encode_entry(told, "ch_1", NOON, reason="not now", serve_token="signed")

    row = row_of(StreamEntry("1772625600000-0", entry)).values
    assert row == {
        **BOUGHT,
        "occurred_at": NOON,
        "received_at": NOON,
        "reason": "not now",
        "serve_token": "signed",
        "position": "1772625600000-0",
    }


def test_keys_are_in_order_and_one_without_a_value_is_there_too() -> None:
    entry = encode_entry(EventBody.model_validate_json(orjson.dumps(VIEWED)), "ch_1", NOON)

    document = orjson.loads(entry)
    assert list(document) == sorted(document)
    assert [name for name, value in document.items() if value is None] == [
        "reason",
        "serve_token",
        "transaction",
    ]
