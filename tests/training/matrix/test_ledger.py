"""Reading once: what the ledger, the survey and the spool say is what the rows say."""

import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.catalog import Catalog
from embeddings.interactions import EventWeights
from tests.training.worlds import OPENS_AT, a_transaction, an_event, write_lines
from training.errors import BadInputError
from training.matrix import Inputs, Survey, open_inputs, spool_contacts, survey
from training.matrix.contacts import CONTACT, MAX_GROUPS
from training.matrix.ledger import FIELDS, Bookkeeper, Ledger, ledger_of
from training.matrix.responses import CONTACT_SCHEMA
from training.usage import Table, polars_schema

KEY = b"ledger"
VALUES: dict[str, tuple[Any, ...]] = {
    "cardholder_id": ("c1", "c2", "c3"),
    "merchant_id": ("m1", "m2", "m3"),
    "merchant_name": (None, "Shop", "Café", "shop"),
    "occurred_at": tuple(OPENS_AT + timedelta(days=n, hours=20 * (n % 2)) for n in (0, 1, 5)),
    "status": (None, "settled", "approved", "returned", "reversed", "declined"),
    "mcc": (None, None, "5812", "5411"),
    "category": (None, "food", "5812"),
    "city": (None, "beijing", "上海"),
    "segment": (None, "senior"),
    "card_product_id": (None, "gold"),
}
row = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
tables = st.lists(st.lists(row, min_size=1, max_size=10), min_size=1, max_size=3)


def a_file(folder: Path, number: int, rows: list[dict[str, Any]]) -> Path:
    """One table; the second is csv, the others parquet of tiny row groups."""
    whole = [{"amount_minor": 1, "currency": "CNY", **one} for one in rows]
    frame = pl.DataFrame(whole, polars_schema())
    if number == 1:
        frame.write_csv(path := folder / "1.csv", datetime_format="%Y-%m-%dT%H:%M:%S+00:00")
    else:
        frame.write_parquet(path := folder / f"{number}.parquet", row_group_size=3)
    return path


def inputs_of(paths: list[Path], events: Path | None = None) -> Inputs:
    catalog = paths[0].parent / "catalog.ndjson"
    catalog.touch()
    return open_inputs(paths, catalog, events, None, EventWeights())


def day_of(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)).days


def decoded(ledger: Ledger) -> list[dict[str, Any]]:
    """The ledger's rows with texts in place of codes."""
    texts = {name: [*column.to_pylist(), None] for name, column in ledger.texts.items()}
    rows = zip(*(ledger.rows[name].tolist() for name in FIELDS), strict=True)
    return [
        {name: texts[name][c] if name in texts else c for name, c in zip(FIELDS, one, strict=True)}
        for one in rows
    ]


def as_entered(one: dict[str, Any]) -> dict[str, Any]:
    """A row as the ledger should have it."""
    kinds = {"returned": 1, "reversed": 1, "declined": -1}
    return {
        **{name: one.get(name) for name in FIELDS if name in polars_schema()},
        "category": one["mcc"] or one["category"],
        "day": day_of(one["occurred_at"]),
        "kind": kinds.get(one["status"], 0),
    }


def commonest(rows: list[dict[str, Any]], name: str) -> dict[str, str]:
    """Each merchant's most frequent value, by hand."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in rows:
        if one[name] is not None:
            found[f"merchant:{one['merchant_id']}"][one[name]] += 1
    return {
        merchant: min(counts, key=lambda value: (-counts[value], value))
        for merchant, counts in found.items()
    }


def contacts_of(inputs: Inputs, found: Survey) -> list[tuple[Any, ...]]:
    """All contacts of the spool in words, part after part."""
    with spool_contacts(inputs, found) as spool:
        contacts = np.concatenate([spool.part(number) for number in range(len(spool))])
        assert spool.rows == contacts.size
    columns, groups = [*found.columns, None], found.groups
    return [
        (
            found.cardholders.id(one["cardholder"]),
            columns[one["column"]],
            columns[one["category"]],
            int(one["day"]),
            *([*groups[name], None][one[field]] for name, field in GROUPS_OF.items()),
            int(one["kind"]),
        )
        for one in contacts
    ]


GROUPS_OF = {"card_product_id": "product", "city": "city", "segment": "segment"}


def expected_contact(one: dict[str, Any]) -> tuple[Any, ...]:
    category = None if one["category"] is None else f"category:{one['category']}"
    groups = (one[name] for name in GROUPS_OF)
    merchant = f"merchant:{one['merchant_id']}"
    return one["cardholder_id"], merchant, category, one["day"], *groups, one["kind"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables)
def test_one_pass_over_the_files_tells_what_their_rows_tell(
    tmp_path: Path, drawn: list[list[dict[str, Any]]]
) -> None:
    inputs = inputs_of([a_file(tmp_path, n, rows) for n, rows in enumerate(drawn)])
    found = survey(inputs, KEY)
    rows = [{**one, **as_entered(one)} for table in drawn for one in table]
    days = [one["day"] for one in rows]

    assert decoded(inputs.ledger) == [as_entered(one) for table in drawn for one in table]
    assert (found.transactions, found.first_day, found.last_day) == (
        len(rows),
        min(days),
        max(days),
    )
    assert {*found.cardholders} == {one["cardholder_id"] for one in rows}
    assert found.names == commonest(rows, "merchant_name")
    assert found.parents == {
        merchant: f"category:{category}"
        for merchant, category in commonest(rows, "category").items()
    }
    assert found.groups == {
        name: sorted({one[name] for one in rows} - {None}) for name in GROUPS_OF
    }
    kept = [expected_contact(one) for one in rows if one["kind"] >= 0]
    assert contacts_of(inputs, found) == kept


def test_parts_of_a_spool_hold_their_cardholders_in_the_order_of_the_rows(tmp_path: Path) -> None:
    rows = [a_transaction(f"c{n % 7}", f"m{n}", day=n // 50) for n in range(350)]
    path = tmp_path / "usage.parquet"
    pl.DataFrame(rows, polars_schema()).write_parquet(path)
    inputs = inputs_of([path])
    found = survey(inputs, KEY)
    with spool_contacts(inputs, found) as spool:
        numbers = spool.part(0)["column"].tolist()

    assert [found.columns.id(n) for n in numbers] == [f"merchant:m{n}" for n in range(350)]


def test_responses_stand_beside_usage_and_the_erased_and_unknown_in_neither(
    tmp_path: Path,
) -> None:
    usage = a_file(tmp_path, 0, [{**a_transaction("c1", "m1"), "mcc": None, "category": None}])
    inputs = inputs_of([usage])
    answers = pl.DataFrame(
        [
            ("c1", "offer:o1", "clicked", 20_100),
            ("c2", "offer:o1", "redeemed", 20_101),
            ("c1", "offer:o2", "served", 20_101),
        ],
        CONTACT_SCHEMA,
        orient="row",
    )
    whole = Inputs(inputs.usage, inputs.ledger, answers, None, Catalog(), "", 0, None)
    found = survey(whole, KEY)
    everyone = Survey(
        **{
            **{name: getattr(found, name) for name in found.__slots__},
            "cardholders": found.cardholders.only(
                np.array([name == "c1" for name in found.cardholders])
            ),
        }
    )

    assert {*found.cardholders} == {"c1", "c2"}
    assert sorted(contacts_of(whole, everyone)) == [
        ("c1", "merchant:m1", None, day_of(OPENS_AT), None, None, None, 0),
        ("c1", "offer:o1", None, 20_100, None, None, None, 3),
    ]


def test_archived_transactions_come_after_the_files(tmp_path: Path) -> None:
    usage = a_file(tmp_path, 0, [{**a_transaction("c1", "m1"), "transaction_id": "t1"}])
    paid = {"merchant_id": "m9", "amount": {"amount_minor": 5, "currency": "CNY"}}
    events = tmp_path / "events.ndjson"
    write_lines(
        events,
        [
            an_event(n, "c7", "", 3, type="transaction", transaction={**paid, "transaction_id": t})
            for n, t in enumerate(("t1", "t2"))
        ],
    )
    inputs = inputs_of([usage], events)

    assert [one["merchant_id"] for one in decoded(inputs.ledger)] == ["m1", "m9"]
    assert [one["cardholder_id"] for one in decoded(inputs.ledger)] == ["c1", "c7"]


def test_no_rows_are_no_usage() -> None:
    nothing = ledger_of(Table(pl.LazyFrame(schema=polars_schema())))
    inputs = Inputs((), nothing, pl.DataFrame(schema=CONTACT_SCHEMA), None, Catalog(), "", 0, None)

    assert len(nothing) == 0
    assert [*nothing.parts(10)] == []
    with pytest.raises(BadInputError, match="hold no transaction"):
        survey(inputs, KEY)


def test_spent_inputs_hold_neither_rows_nor_responses(tmp_path: Path) -> None:
    inputs = inputs_of([a_file(tmp_path, 0, [a_transaction("c1", "m1")])]).spent()

    assert len(inputs.ledger) == 0
    assert inputs.contacts.is_empty()
    assert len(inputs.usage) == 1


def test_a_column_that_names_too_many_groups_is_refused(tmp_path: Path) -> None:
    many = MAX_GROUPS + 1
    rows = {
        "cardholder_id": ["c1"] * many,
        "merchant_id": ["m1"] * many,
        "amount_minor": [1] * many,
        "currency": ["CNY"] * many,
        "occurred_at": [OPENS_AT] * many,
        "city": [f"city {n}" for n in range(many)],
    }
    pl.DataFrame(rows).cast({"occurred_at": polars_schema()["occurred_at"]}).write_parquet(
        path := tmp_path / "usage.parquet"
    )
    inputs = inputs_of([path])
    found = survey(inputs, KEY)

    with pytest.raises(BadInputError, match="column city has 32,768 values, more than 32,767"):
        spool_contacts(inputs, found)


def test_rows_of_a_ledger_leave_memory_as_they_are_read(tmp_path: Path) -> None:
    with Bookkeeper() as keeper:
        keeper.read(a_file(tmp_path, 0, [a_transaction("c1", f"m{n}") for n in range(10)]))
        ledger = keeper.closed()

    parts = [part["merchant_id"].tolist() for part in ledger.parts(4)]
    assert parts == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


PEAK = """
import resource, sys
from pathlib import Path
from training.memory import map_large_blocks
from training.matrix.ledger import Bookkeeper
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
map_large_blocks()
with Bookkeeper() as keeper:
    keeper.read(Path(sys.argv[1]))
before = peak()
with Bookkeeper() as keeper:
    keeper.read(Path(sys.argv[2]))
    rows = sum(part["day"].size for part in keeper.closed().parts(100_000))
print(rows, peak() - before)
"""


def test_a_ledger_of_ten_times_the_rows_takes_no_more_memory(tmp_path: Path) -> None:
    """The same texts again and again: what grows is on disk."""
    n = 300_000
    table = pa.table(
        {
            "cardholder_id": [f"c{i % 1_000}" for i in range(n)],
            "merchant_id": [f"m{i % 97}" for i in range(n)],
            "amount_minor": pa.array([100] * n, pa.int64()),
            "currency": ["CNY"] * n,
            "occurred_at": pa.array([OPENS_AT] * n, pa.timestamp("us", "UTC")),
        }
    )
    small, large = tmp_path / "small.parquet", tmp_path / "large.parquet"
    for path, times in ((small, 1), (large, 10)):
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(times):
                writer.write_table(table, row_group_size=100_000)
    command = [sys.executable, "-c", PEAK, str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, grown = (int(word) for word in done.stdout.split())

    assert rows == 10 * n
    assert rows * CONTACT.itemsize > 64 * 2**20  # what holding them would take
    assert grown < 24 * 2**20
