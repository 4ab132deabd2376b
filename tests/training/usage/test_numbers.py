"""Numbers that name a person do not get past the trainer's entrances, nor into what it leaves."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from embeddings.interactions import EventWeights
from tests.bundles import a_catalog, an_offer
from tests.training.mapping.world import a_file, a_mapping, a_row, bring_in
from tests.training.worlds import an_event, write_lines
from training.errors import BadInputError
from training.matrix.profiles import read_profiles
from training.matrix.responses import read_responses
from training.usage import scan
from training.usage.numbers import names_a_person

HEADER = "cardholder_id,merchant_id,amount_minor,currency,occurred_at,merchant_name,city,segment"
CARD, UNIONPAY = "4929123456781236", "6221261234567890"
RESIDENT, PHONE = "11010519491231002X", "13812345678"


def a_table(folder: Path, column: str, value: str, *, parquet: bool) -> Path:
    names = HEADER.split(",")
    good = ["c1", "m1", "100", "GBP", "2024-03-01T10:00:00Z", "Cafe", "London", "s1"]
    bad = [value if name == column else text for name, text in zip(names, good, strict=True)]
    path = folder / "usage.csv"
    path.write_text("\n".join([HEADER, ",".join(good), ",".join(bad)]) + "\n", "utf-8")
    if not parquet:
        return path
    instants = pl.col("occurred_at").str.to_datetime(time_zone="UTC")
    frame = pl.read_csv(path, infer_schema=False)
    typed = frame.with_columns(instants, pl.col("amount_minor").cast(pl.Int64))
    typed.write_parquet(folder / "usage.parquet")
    return folder / "usage.parquet"


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cardholder_id", CARD),
        ("cardholder_id", PHONE),
        ("cardholder_id", RESIDENT),
        ("merchant_id", UNIONPAY),
        ("merchant_name", "Cafe 4929 1234 5678 1236"),
        ("merchant_name", "Cafe ４９２９１２３４５６７８１２３６"),
        ("merchant_name", f"Stall {PHONE}"),
        ("city", RESIDENT),
        ("segment", PHONE),
    ],
)
def test_F46_usage_with_a_persons_number_is_refused_by_its_row_and_never_shown(
    tmp_path: Path, column: str, value: str, *, parquet: bool
) -> None:
    with pytest.raises(BadInputError) as refused:
        scan(a_table(tmp_path, column, value, parquet=parquet))

    told = str(refused.value)
    assert f"column {column}: 1 of 2 values hold a card number" in told
    assert "the first in data row 2" in told
    assert value not in told


def test_ids_of_things_may_look_like_mobile_numbers(tmp_path: Path) -> None:
    assert scan(a_table(tmp_path, "merchant_id", PHONE, parquet=False)).collect().height == 2


@pytest.mark.parametrize("coded", [False, True])
def test_each_row_of_a_coded_column_is_told(coded: bool) -> None:
    plain = pa.array(["a", CARD, None, "b", CARD])
    column = plain.dictionary_encode() if coded else plain

    assert names_a_person("cardholder_id", column).tolist() == [False, True, False, False, True]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(CARD, "card_number"), (RESIDENT, "personal_number"), (PHONE, "personal_number")],
)
def test_F46_an_import_puts_such_rows_aside_and_shows_the_number_nowhere(
    tmp_path: Path, value: str, reason: str
) -> None:
    bad = f"01/03/2024,{value},ARGOS,5.00"
    named = f"02/03/2024,acc9,Stall {value},6.00"
    a_file(tmp_path, "a.csv", *(a_row(n) for n in range(20)), bad, named)
    report = bring_in(a_mapping(tmp_path, more="[checks]\nmax_rejected_share = 0.5"))
    left = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())

    assert report.rows_rejected == {reason: 2}
    assert report.rows_accepted == 20
    assert value.encode() not in left


def events_with(tmp_path: Path, *, parquet: bool, **changes: Any) -> Path:
    paid = {
        "transaction_id": "t1",
        "merchant_id": "m1",
        "mcc": "5812",
        "amount": {"amount_minor": 100, "currency": "GBP"},
        "status": "settled",
        "city": "London",
    }
    own = {name: value for name, value in changes.items() if name == "cardholder_id"}
    of_payment = {name: value for name, value in changes.items() if name != "cardholder_id"}
    bought = an_event(2, "ch_1", "offer_1", 1, type="transaction")
    events = [
        an_event(1, "ch_1", "offer_1", 1),
        {**bought, **own, "transaction": {**paid, **of_payment}},
    ]
    if parquet:
        pl.DataFrame(events).write_parquet(tmp_path / "events.parquet")
        return tmp_path / "events.parquet"
    write_lines(tmp_path / "events.ndjson", events)
    return tmp_path / "events.ndjson"


@pytest.mark.parametrize("parquet", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [("cardholder_id", CARD), ("cardholder_id", PHONE), ("merchant_id", UNIONPAY), ("city", CARD)],
)
def test_F46_a_log_of_events_with_a_persons_number_is_refused_and_never_shown(
    tmp_path: Path, column: str, value: str, *, parquet: bool
) -> None:
    path = events_with(tmp_path, parquet=parquet, **{column: value})
    catalog = a_catalog(an_offer("offer_1"))

    with pytest.raises(BadInputError) as refused:
        read_responses(path, catalog, EventWeights())

    assert f"{path}: {column}: 1 distinct values hold a card number" in str(refused.value)
    assert value not in str(refused.value)
    read_responses(events_with(tmp_path, parquet=parquet), catalog, EventWeights())


@pytest.mark.parametrize(
    "changed",
    [{"cardholder_id": CARD}, {"city": PHONE}, {"card_products": [{"card_product_id": UNIONPAY}]}],
)
def test_F46_profiles_with_a_persons_number_are_refused_by_their_line_and_never_shown(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    good = {"cardholder_id": "ch_1", "city": "London", "card_products": []}
    write_lines(tmp_path / "profiles.ndjson", [good, {**good, "cardholder_id": "ch_2", **changed}])

    with pytest.raises(BadInputError, match=r"line 2: \w+: holds what must not come in") as refused:
        read_profiles(tmp_path / "profiles.ndjson")

    assert not any(number in str(refused.value) for number in (CARD, PHONE, UNIONPAY))
