"""A small bank whose files say exactly what a test needs them to say."""

from datetime import UTC, datetime
from pathlib import Path

from training.mapping import ImportJob, ImportReport, load_mapping

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "Date,Account,Shop,Amount"
MAPPING = """
[source]
format = "csv"
files = "*.csv"
currency = "GBP"
timezone = "Europe/London"
{source}
[columns]
cardholder_id = "Account"
merchant_name = "Shop"
amount = "Amount"
occurred_at = {{ column = "Date", format = "%d/%m/%Y" }}
{columns}
{more}
"""


def a_mapping(folder: Path, *, source: str = "", columns: str = "", more: str = "") -> Path:
    """Write a mapping of the bank's files; what is passed stands at the end of its section."""
    path = folder / "bank.toml"
    path.write_text(MAPPING.format(source=source, columns=columns, more=more), encoding="utf-8")
    return path


def a_file(
    folder: Path, name: str, *rows: str, header: str = HEADER, encoding: str = "utf-8"
) -> Path:
    """Write one csv file of the bank."""
    path = folder / name
    path.write_bytes("".join(f"{line}\r\n" for line in (header, *rows)).encode(encoding))
    return path


def a_row(n: int = 1, *, shop: str = "ARGOS LTD", amount: str = "5.00") -> str:
    """One good row; rows of different ``n`` are different purchases."""
    return f"{n % 28 + 1:02d}/03/2024,acc{n},{shop},{amount}"


def bring_in(mapping: Path, out: Path | None = None) -> ImportReport:
    """Import what lies beside the mapping."""
    out = out or mapping.parent / "out" / "usage.parquet"
    return ImportJob(
        mapping=load_mapping(mapping),
        mapping_path=mapping,
        out=out,
        quarantine=out.with_name("quarantine.ndjson"),
        now=NOW,
    ).run()
