"""No line of a catalogue file that names a person gets in, whoever reads the file."""

import json
from pathlib import Path
from typing import Any

import pytest

from embeddings.catalog import read_catalog
from embeddings.errors import CatalogError
from tests.bundles import an_offer

CARD, RESIDENT, PHONE = "4929123456781236", "11010519491231002X", "13812345678"


def a_file(folder: Path, *offers: dict[str, Any], ascii_only: bool = False) -> Path:
    path = folder / "catalog.ndjson"
    lines = (json.dumps(offer, ensure_ascii=ascii_only) for offer in offers)
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"title": {"en": f"for {CARD}"}}, "title.en", "pan_detected"),
        ({"title": {"en": "4929 1234-5678 1236"}}, "title.en", "pan_detected"),
        ({"title": {"en": "４９２９１２３４５６７８１２３６"}}, "title.en", "pan_detected"),
        ({"title": {"zh-CN": f"身份证 {RESIDENT}"}}, "title.zh-CN", "resident_id_detected"),
        ({"title": {"en": f"call {PHONE}"}}, "title.en", "mobile_number_detected"),
        ({"merchant_id": CARD}, "merchant_id", "pan_detected"),
        ({"terms": {"segments": [CARD]}}, "terms.segments", "pan_detected"),
        ({"url": f"https://bank.example/{CARD}"}, "url", "pan_detected"),
    ],
)
def test_F46_a_number_that_names_a_person_is_refused_by_its_line_and_field(
    tmp_path: Path, changes: dict[str, Any], field: str, word: str, *, ascii_only: bool
) -> None:
    path = a_file(tmp_path, an_offer("good"), an_offer("bad", **changes), ascii_only=ascii_only)
    with pytest.raises(CatalogError) as refused:
        read_catalog(path)

    assert f"line 2: {field}: holds what must not come in: {word}" in str(refused.value)
    assert CARD not in str(refused.value)


def test_dates_ids_and_amounts_are_no_false_alarm(tmp_path: Path) -> None:
    offer = an_offer(
        "offer_13812345678",
        terms={"starts_at": "2026-01-01T00:00:00.123456Z", "ends_at": "2027-01-01T00:00:00+08:00"},
        budget={"total": {"count": 100, "amount": {"amount_minor": 2 * 10**9, "currency": "CNY"}}},
    )

    assert len(read_catalog(a_file(tmp_path, offer))) == 1
