import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.mapping.world import HEADER, a_file, a_mapping, a_row, bring_in
from training.errors import BadInputError
from training.mapping import TooManyRejectedError, load_mapping
from training.usage import scan


def usage_of(folder: Path) -> pl.DataFrame:
    return scan(folder / "out" / "usage.parquet").collect()


def quarantine_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "out" / "quarantine.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines()]


LENIENT = "[checks]\nmax_rejected_share = 1.0"


def test_a_refund_has_a_positive_amount_and_the_status_returned(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1), a_row(2, amount="-3.50"))
    report = bring_in(a_mapping(tmp_path))

    assert report.refunds == 1
    assert usage_of(tmp_path).select("amount_minor", "status").rows() == [
        (500, "settled"),
        (350, "returned"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,,", "empty_row"),
        ("01/03/2024,,ARGOS,5.00", "cardholder_id_missing"),
        ("01/03/2024,acc1, ,5.00", "merchant_missing"),
        ("01/03/2024,acc1,ARGOS,", "amount_missing"),
        ("01/03/2024,acc1,ARGOS,five", "amount_unreadable"),
        ("01/03/2024,acc1,ARGOS,5.001", "amount_too_precise"),
        ("01/03/2024,acc1,ARGOS,0.00", "amount_zero"),
        ("31/02/2024,acc1,ARGOS,5.00", "occurred_at_unreadable"),
        (",acc1,ARGOS,5.00", "occurred_at_unreadable"),
        ("01/03/0204,acc1,ARGOS,5.00", "occurred_at_too_early"),
        ("01/03/2204,acc1,ARGOS,5.00", "occurred_at_in_future"),
        ("01/03/2024,acc1,ARGOS", "wrong_number_of_fields"),
        ("01/03/2024,acc1,ARGOS,5.00,x", "wrong_number_of_fields"),
        ("01/03/2024,4111 1111 1111 1111,ARGOS,5.00", "card_number"),
        ("01/03/2024,acc1,ARGOS 6200000000000005,5.00", "card_number"),
    ],
)
def test_a_bad_row_lies_in_the_quarantine_with_file_line_and_reason(
    tmp_path: Path, row: str, reason: str
) -> None:
    a_file(tmp_path, "a.csv", a_row(1), row, a_row(2))
    report = bring_in(a_mapping(tmp_path, more=LENIENT))
    entries = quarantine_of(tmp_path)

    assert report.rows_rejected == {reason: 1}
    assert (report.rows_read, report.rows_accepted) == (3, 2)
    assert [(e["file"], e["line"], e["reason"]) for e in entries] == [("a.csv", 3, reason)]
    assert "4111" not in json.dumps(entries)
    assert "620000" not in json.dumps(entries)


def test_lines_are_counted_through_line_breaks_in_quotes_blank_lines_and_stray_quotes(
    tmp_path: Path,
) -> None:
    two_lines = '01/03/2024,acc1,"ARGOS\nEXETER",5.00'
    a_file(tmp_path, "a.csv", two_lines, "", a_row(2, shop='6" PIPES'), "bad", a_row(3))
    report = bring_in(a_mapping(tmp_path, more=LENIENT))

    assert report.rows_accepted == 3
    assert quarantine_of(tmp_path)[0]["line"] == 6


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.text(st.sampled_from('ab ",\n\r;é'), min_size=1, max_size=12)),
        min_size=1,
        max_size=12,
    )
)
def test_every_row_is_accepted_or_lies_in_the_quarantine_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[bool, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    written = [
        f'01/03/2024,acc{n},"x{shop.replace(chr(34), chr(34) * 2)}",{"5.00" if good else "?"}'
        for n, (good, shop) in enumerate(rows)
    ]
    a_file(folder, "a.csv", a_row(99), *written)
    report = bring_in(a_mapping(folder, more=LENIENT))

    good = sum(good for good, _ in rows)
    assert report.rows_accepted == usage_of(folder).height == good + 1
    assert report.rows_rejected.get("amount_unreadable", 0) == len(rows) - good
    assert report.rows_read == len(rows) + 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030", "latin-1"]
)
def test_files_of_any_encoding_with_and_without_a_mark_read_alike(
    tmp_path: Path, encoding: str
) -> None:
    shop = "星巴克咖啡" if encoding == "gb18030" else "CAFÉ"
    a_file(tmp_path, "a.csv", a_row(1, shop=shop), encoding=encoding)
    bring_in(a_mapping(tmp_path, source=f'encoding = "{encoding}"'))

    assert usage_of(tmp_path)["merchant_name"].to_list() == [shop]


def test_one_of_several_files_may_have_a_mark_another_order_and_an_unknown_column(
    tmp_path: Path,
) -> None:
    a_file(tmp_path, "a.csv", a_row(1), encoding="utf-8-sig")
    a_file(tmp_path, "b.csv", "x,5.00,ARGOS,acc2,02/03/2024", header="New,Amount,Shop,Account,Date")
    report = bring_in(a_mapping(tmp_path, source='encoding = "utf-8-sig"'))

    assert report.rows_accepted == 2
    assert sorted(usage_of(tmp_path)["cardholder_id"]) == ["acc1", "acc2"]


def test_a_column_with_two_spellings_is_found_under_either(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    a_file(tmp_path, "b.csv", a_row(2), header=HEADER.replace("Shop", "Shop Name"))
    mapping = a_mapping(tmp_path)
    mapping.write_text(mapping.read_text().replace('"Shop"', '["Shop", "Shop Name"]'))

    assert bring_in(mapping).rows_accepted == 2


def test_a_file_whose_lines_end_in_cr_reads_alike_and_keeps_its_lines(tmp_path: Path) -> None:
    lines = [HEADER, a_row(1), a_row(2, amount="x"), *(a_row(n) for n in range(3, 40))]
    (tmp_path / "a.csv").write_bytes("\r".join(lines).encode())

    report = bring_in(a_mapping(tmp_path))
    aside = json.loads((tmp_path / "out" / "quarantine.ndjson").read_text())

    assert (report.rows_read, report.rows_accepted) == (39, 38)
    assert (aside["line"], aside["reason"]) == (3, "amount_unreadable")


def test_bytes_that_are_no_text_of_the_encoding_put_their_row_aside(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", a_row(1), a_row(2))
    path.write_bytes(path.read_bytes().replace(b"acc2,ARGOS", b"acc2,\xff\xfe"))

    assert bring_in(a_mapping(tmp_path, more=LENIENT)).rows_rejected == {"undecodable_text": 1}


def test_a_compressed_file_reads_like_the_plain_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a.csv", a_row(1), a_row(2))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    mapping = a_mapping(tmp_path)
    mapping.write_text(mapping.read_text().replace('"*.csv"', '"*.csv.gz"'))

    assert bring_in(mapping).rows_accepted == 2


def test_a_file_that_is_there_twice_is_read_once(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    a_file(tmp_path, "b.csv", a_row(1))
    report = bring_in(a_mapping(tmp_path))

    assert (report.duplicate_files, report.rows_read, report.duplicate_rows) == (1, 1, 0)


def test_a_row_of_another_file_is_a_duplicate_and_equal_rows_of_one_file_are_two_purchases(
    tmp_path: Path,
) -> None:
    a_file(tmp_path, "a.csv", a_row(1), a_row(1), a_row(2))
    a_file(tmp_path, "b.csv", a_row(3), a_row(1), a_row(1), a_row(1))
    report = bring_in(a_mapping(tmp_path))

    assert report.rows_rejected == {"duplicate_row": 2}
    assert (report.duplicate_rows, report.repeats_kept, report.rows_accepted) == (2, 2, 5)
    assert [(e["file"], e["line"]) for e in quarantine_of(tmp_path)] == [("b.csv", 3), ("b.csv", 4)]


def test_a_mapping_may_drop_repeats_within_a_file_or_keep_those_across(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1), a_row(1))
    a_file(tmp_path, "b.csv", a_row(2), a_row(1))
    strict = bring_in(a_mapping(tmp_path, more="[duplicates]\nwithin_file = true"))
    lenient = bring_in(a_mapping(tmp_path, more="[duplicates]\nacross_files = false"))

    assert (strict.duplicate_rows, lenient.duplicate_rows) == (2, 0)


def test_a_transaction_id_counts_once_as_purchase_and_once_as_refund(tmp_path: Path) -> None:
    header = f"{HEADER},Id,State"
    rows = [f"{a_row(1)},t1,{state}" for state in ("approved", "settled", "returned", "declined")]
    a_file(tmp_path, "a.csv", *rows, f"{a_row(2)},t1,settled", header=header)
    report = bring_in(a_mapping(tmp_path, columns='transaction_id = "Id"\nstatus = "State"'))

    assert report.duplicate_rows == 2
    assert usage_of(tmp_path)["status"].to_list() == ["approved", "returned", "declined"]


def test_too_many_rejected_rows_stop_the_job_and_leave_the_old_table(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", *(a_row(n) for n in range(9)), "bad")
    mapping = a_mapping(tmp_path, more="[checks]\nmax_rejected_share = 0.09")
    out = tmp_path / "out" / "usage.parquet"
    out.parent.mkdir()
    out.write_text("the old table")

    with pytest.raises(TooManyRejectedError, match=r"1 of 10 rows .* wrong_number_of_fields"):
        bring_in(mapping)
    assert out.read_text() == "the old table"
    assert [e["line"] for e in quarantine_of(tmp_path)] == [11]
    assert sorted(p.name for p in out.parent.iterdir()) == ["quarantine.ndjson", "usage.parquet"]


def test_a_source_of_which_no_row_is_accepted_is_told_with_the_reason(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1, amount="x"), a_row(2, amount="y"))
    mapping = a_mapping(tmp_path, more="[checks]\nmax_rejected_share = 1.0")

    with pytest.raises(TooManyRejectedError, match=r"2 of 2 rows .* amount_unreadable .* line 2"):
        bring_in(mapping)

    assert not (tmp_path / "out" / "usage.parquet").exists()
    assert len((tmp_path / "out" / "quarantine.ndjson").read_text().splitlines()) == 2


def test_a_failure_leaves_no_trace(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    a_file(tmp_path, "b.csv", a_row(2), header="Date,Account,Store,Amount")

    with pytest.raises(BadInputError, match=r'b.csv: column "Shop" is missing'):
        bring_in(a_mapping(tmp_path))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (HEADER.encode() + b"\r\n", "header and no rows"),
        (b"Date,Account,Shop,Shop,Amount\r\n1,2,3,4,5\r\n", "header names column .Shop. 2 times"),
        (HEADER.encode() + b'\r\n01/03/2024,a,"' + b"x\n" * 600_000, "longer than 1 MiB"),
        (HEADER.encode() + b"\r\n01/03/2024,a," + b"x" * 1_100_000, "longer than 1 MiB"),
        (b"Date;Account;Shop;Amount\r\n1;2;3;4\r\n", "is missing"),
    ],
)
def test_a_broken_file_is_one_clear_error_with_its_name(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)

    with pytest.raises(BadInputError, match=rf"a\.csv: .*{message}"):
        bring_in(a_mapping(tmp_path))


def test_a_parquet_bomb_is_refused_by_its_footer(tmp_path: Path) -> None:
    pl.DataFrame({"Date": pl.repeat("01/03/2024", 3_000_000, eager=True)}).write_parquet(
        tmp_path / "a.parquet"
    )
    mapping = a_mapping(tmp_path, source="max_rows = 1_000_000")
    mapping.write_text(mapping.read_text().replace("csv", "parquet"))

    with pytest.raises(BadInputError, match=r"declares 3,000,000 rows .* raise max_rows"):
        bring_in(mapping)


def test_the_wrong_format_is_named(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    mapping = a_mapping(tmp_path)
    mapping.write_text(mapping.read_text().replace('"csv"', '"parquet"'))

    with pytest.raises(BadInputError, match=r"a\.csv: not a readable parquet file"):
        bring_in(mapping)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[source]", "[sauce]"), "unknown setting sauce; did you mean source"),
        (('currency = "GBP"', 'curency = "GBP"'), r"source\.curency; did you mean currency"),
        (('currency = "GBP"', 'currency = "GBX"'), "ISO 4217"),
        (('currency = "GBP"', ""), "no column says the currency"),
        (('"Europe/London"', '"Europe/Lundon"'), r"source\.timezone"),
        (('format = "csv"', 'format = "xls"'), '"csv" or "parquet"'),
        (('files = "*.csv"', "files = 3"), r"source\.files: is of the wrong type, int"),
        (('files = "*.csv"', 'files = "*.tsv"'), "finds no file"),
        (('files = "*.csv"', 'files = "../*.csv"'), "leads out of"),
        (('amount = "Amount"', 'amount = "Shop"'), '"Shop" is named twice'),
        (('amount = "Amount"', ""), "amount or amount_minor is missing"),
        (('amount = "Amount"', 'amount = "Amount"\namount = "B"'), "named twice"),
        (('amount = "Amount"', 'amount = "Amount"\nusers = "B"'), "unknown setting columns.users"),
        (('"Account"', '{ column = "Account", id = "hash" }'), "id-key-file"),
        (('"Account"', '{ column = "Account", pattern = "[" }'), "not readable"),
        (('"Account"', '{ column = "Account", pattern = "[0-9]+" }'), "has no group"),
        (('"Account"', '{ column = "Account", combine = ["B"] }'), "either column or combine"),
        (('"Account"', '{ column = "Account", decimal = "," }'), "means nothing here"),
        (("[columns]", "[columns"), "not a mapping in TOML"),
    ],
)
def test_a_wrong_mapping_is_one_clear_error(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    mapping = a_mapping(tmp_path)
    mapping.write_text(mapping.read_text().replace(*change))

    with pytest.raises(BadInputError, match=message):
        bring_in(mapping)
    assert not (tmp_path / "out" / "usage.parquet").exists()


def test_ids_that_do_not_match_become_slugs_that_stay_apart(tmp_path: Path) -> None:
    rows = [f"01/03/2024,{name},ARGOS,5.00" for name in ("A & B", "A-B", "A  B", "张三", "ok_1")]
    a_file(tmp_path, "a.csv", *rows)
    bring_in(a_mapping(tmp_path))
    found = usage_of(tmp_path)["cardholder_id"].to_list()

    assert len(set(found)) == 5
    assert found[1] == "A-B"
    assert found[4] == "ok_1"
    assert found[0].startswith("A-B-")


def test_masked_card_numbers_that_collide_are_told_apart_by_another_column(tmp_path: Path) -> None:
    rows = [f"01/03/2024,************1234,ARGOS,5.00,{unit}" for unit in ("North", "South", "")]
    a_file(tmp_path, "a.csv", *rows, header=f"{HEADER},Unit")
    mapping = a_mapping(tmp_path, columns='segment = "Unit"')
    account = '{ combine = ["Unit", "Account"], fill = "none", remove = "[*]+" }'
    mapping.write_text(mapping.read_text().replace('"Account"', account))
    report = bring_in(mapping)

    assert report.cardholders == 3
    assert sorted(usage_of(tmp_path)["cardholder_id"]) == ["North_1234", "South_1234", "none_1234"]
    assert usage_of(tmp_path)["segment"].to_list() == ["north", "south", None]


def test_a_category_gives_its_mcc_and_the_rows_own_wins(tmp_path: Path) -> None:
    header = f"{HEADER},Kind,Code"
    rows = [f"{a_row(n)},{kind}" for n, kind in enumerate(["Book  STORES,", "Other,", "Books,742"])]
    a_file(tmp_path, "a.csv", *rows, header=header)
    table = '[categories]\n"Book stores" = "5942"\n"Books" = "5942"'
    bring_in(a_mapping(tmp_path, columns='category = "Kind"\nmcc = "Code"', more=table))

    assert usage_of(tmp_path)["mcc"].to_list() == ["5942", None, "0742"]
    assert usage_of(tmp_path)["category"].to_list() == ["book-stores", "other", "books"]


def test_yen_and_dinars_have_their_own_decimals(tmp_path: Path) -> None:
    rows = [f"{a_row(n, amount=a)},{c}" for n, (a, c) in enumerate([("5", "JPY"), ("5", "kwd")])]
    a_file(tmp_path, "a.csv", *rows, f"{a_row(3)},XXX", header=f"{HEADER},Cur")
    report = bring_in(a_mapping(tmp_path, columns='currency = "Cur"', more=LENIENT))

    assert report.rows_rejected == {"currency_unknown": 1}
    assert usage_of(tmp_path)["amount_minor"].to_list() == [5, 5000]


def test_the_mapping_of_the_contract_works_as_written(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    header = (
        "Transaction Date,Local Authority Establishment,Benificiary (Merchant),Amount,"
        "Merchant Category"
    )
    row = "12/03/2014,DCC SOUTH MOLTON (00320917),CABLING4LESS,-31.68,Electrical parts"
    a_file(tmp_path / "raw", "a.csv", row, header=header, encoding="utf-8-sig")
    mapping = tmp_path / "devon.toml"
    mapping.write_text(  # as written there, semicolons and all
        """
[source]            # devon.toml
format = "csv"; files = "raw/*.csv"; encoding = "utf-8-sig"; currency = "GBP"; \
timezone = "Europe/London"
[columns]
cardholder_id = "Local Authority Establishment"
merchant_name = "Benificiary (Merchant)"    # no merchant id: one is made from the normalised name
category      = "Merchant Category"
amount        = "Amount"                    # decimal; negative is a refund
occurred_at   = { column = "Transaction Date", format = "%d/%m/%Y" }
"""
    )

    assert bring_in(mapping).refunds == 1


def run_import(mapping: Path, out: Path) -> int:
    """Peak resident bytes of the command in a process of its own."""
    code = (
        "import resource, sys; sys.argv = sys.argv[1:]\n"
        "from training.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    arguments = ["recsvc-train", "import", "--mapping", str(mapping), "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1]) * 1024


def test_eight_times_the_input_needs_no_more_memory(tmp_path: Path) -> None:
    lines = [a_row(n, amount=f"{n % 90}.50") for n in range(100_000)]
    peaks = []
    for times in (1, 8):
        folder = tmp_path / str(times)
        folder.mkdir()
        with (folder / "a.csv").open("w") as stream:
            stream.write(f"{HEADER}\n")
            for turn in range(times):
                stream.writelines(f"{line}{turn}\n" for line in lines)
        mapping = a_mapping(folder, more=LENIENT)
        peaks.append(run_import(mapping, folder / "usage.parquet"))
        assert load_mapping(mapping).source.format == "csv"

    assert peaks[1] < peaks[0] + 100 * 2**20
