"""What a newcomer is told when something is wrong: what it is, and what to do."""

from pathlib import Path

import pytest

from tests.training.mapping.world import HEADER, NOW, a_file, a_mapping, a_row, bring_in
from training.errors import BadInputError, TrainingError
from training.mapping import ImportJob, load_mapping
from training.mapping.instants import reads_dates

ROWS = "".join(f"\r\n{a_row(n)}" for n in range(30))


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ((HEADER + ROWS).replace(",", ";"), "utf-8", r'Write delimiter = ";" in \[source\]'),
        ((HEADER + ROWS).replace(",", "\t"), "utf-8", r'write delimiter = "\\t"'),
        ((HEADER + ROWS).replace("Shop", "shop "), "utf-8", r'Did you mean "shop"\?'),
        ((HEADER + ROWS).replace("Shop", "Bank"), "utf-8", r"Correct the name"),
        (HEADER + ROWS, "utf-16-le", r"another encoding; write the right one in source\.encoding"),
        (HEADER + ROWS.replace("ARGOS", "CAFÉ"), "latin-1", r"line 2 of a\.csv.*source\.encoding"),
        (HEADER + ROWS.replace("5.00", "NaN"), "utf-8", r"amount_unreadable.*decimal = \",\""),
        (HEADER + ROWS.replace("/", "."), "utf-8", r"occurred_at_unreadable.*%d/%m/%Y"),
        (HEADER + ROWS.replace("acc", "41111111111111"), "utf-8", r"rejected"),
        ("PK\x03\x04" + "\x00" * 99, "latin-1", r"a\.csv: is not csv but a workbook.*save it"),
        ("PAR1" + "\x00" * 99, "latin-1", r'write format = "parquet"'),
    ],
)
def test_a_file_that_does_not_fit_is_told_with_the_setting_that_mends_it(
    tmp_path: Path, content: str, encoding: str, message: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content.encode(encoding))

    with pytest.raises(TrainingError, match=message):
        bring_in(a_mapping(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[columns]", "[lookup]\n[columns]"), r"write \[\[lookup\]\], with two brackets"),
        (("[source]", "values = 3\n[source]"), r'values: must be a table: \[values\."Column'),
        (("[source]", 'categories = "x"\n[source]'), r"categories: must be a table"),
        (("[columns]", '[values.Kind]\na = "b"\n[columns]'), r'"Kind": nothing is read .* Account'),
        (("[columns]", '[categories]\na = "5411"\n[columns]'), r"columns\.category is missing"),
        (("[columns]", '[checks]\nearliest = "x"\n[columns]'), r"date without quotes, such as"),
        (("%d/%m/%Y", "dd/mm/yyyy"), r'"dd/mm/yyyy" does not read a whole date; write it like'),
        (("%d/%m/%Y", "%Q/%m/%Y"), r"does not read a whole date"),
        (("%d/%m/%Y", "%d/%m"), r"does not read a whole date"),
        (('currency = "GBP"', 'currency = "gbp"'), r'"gbp" is not known; it must be an ISO 4217'),
        (('currency = "GBP"', ""), r'write currency = "GBP" in \[source\]'),
        (('"Europe/London"', '"Europe"'), r"write a name such as Europe/London"),
        (('format = "csv"', 'format = "csv"\ndelimiter = "¦"'), r"one character of ASCII"),
        (('format = "csv"', 'format = "csv"\ndelimiter = "tab"'), r'a tab is written "\\t"'),
        (('format = "csv"', 'format = "csv"\nquote = ","'), r"two different characters"),
        (('format = "csv"', 'format = "csv"\nencoding = "utf-9"'), r'"utf-9".*write utf-8'),
        (('format = "csv"', 'format = "csv"\nnames = ["A", "A"]'), r'"A" is there twice'),
        (('"Account"', '{ column = "Account", fill = "x" }'), r"fill: .* only beside combine"),
        (('files = "*.csv"', 'files = "*.txt"'), r"which holds a\.csv, bank\.toml; correct"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_write_instead(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    a_file(tmp_path, "a.csv", a_row(1))
    mapping = a_mapping(tmp_path)
    mapping.write_text(mapping.read_text().replace(*change))

    with pytest.raises(BadInputError, match=message):
        bring_in(mapping)


@pytest.mark.parametrize(
    ("out", "quarantine", "message"),
    [
        ("usage.csv", "q", r"--out .*usage\.csv: is written as parquet"),
        ("folder.parquet", "q", r"--out .*is a folder; write the name of a file in it"),
        ("usage.parquet", "folder.parquet", r"--quarantine .*is a folder"),
        ("usage.parquet", "usage.parquet", r"both are .*; write two files"),
        ("usage.parquet", "a.csv", r"--quarantine .*is one of the files to read"),
        ("a.csv/usage.parquet", "q", r"--out: the folder .*a\.csv cannot be made .*choose another"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(
    tmp_path: Path, out: str, quarantine: str, message: str
) -> None:
    (tmp_path / "folder.parquet").mkdir()
    path = a_file(tmp_path, "a.csv", a_row(1))
    before = path.read_bytes()
    mapping = a_mapping(tmp_path)
    job = ImportJob(
        mapping=load_mapping(mapping),
        mapping_path=mapping,
        out=tmp_path / out,
        quarantine=tmp_path / quarantine,
        now=NOW,
    )

    with pytest.raises(BadInputError, match=message):
        job.run()
    assert path.read_bytes() == before


def test_a_place_without_rights_or_room_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    a_file(tmp_path, "a.csv", a_row(1))

    with pytest.raises(BadInputError, match=r"usage\.parquet: cannot be written \(.*another --out"):
        bring_in(a_mapping(tmp_path), Path("/proc/usage.parquet"))


def test_the_first_row_of_a_file_without_a_header_is_not_repeated_in_clear(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("01/03/2024,4111111111111111,ARGOS,5.00\n" * 3)

    with pytest.raises(BadInputError, match="without a header, write names") as caught:
        bring_in(a_mapping(tmp_path))
    assert "411111" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [("%d/%m/%y", True), ("%+", True), ("%Y%m%d%H%M", True), ("%H:%M", False), ("%m/%Y", False)],
)
def test_a_format_counts_only_if_it_reads_whole_dates(pattern: str, whole: bool) -> None:
    assert reads_dates(pattern) is whole
