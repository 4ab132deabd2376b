"""``recsvc-train import``: any issuer's card usage into our columns."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from training.cli import print_json
from training.errors import BadInputError
from training.mapping import ImportJob, ImportReport, TooManyRejectedError, load_mapping

MIN_KEY_BYTES = 16


@click.command("import")
@click.option("--mapping", "mapping_path", required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Parquet to write.")
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    help="Folder of the files; else that of the mapping, or the package it names.",
)
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path),
    help="File of rejected rows, one JSON object a line; else OUT.quarantine.ndjson.",
)
@click.option(
    "--max-rejected-share",
    type=click.FloatRange(0, 1),
    help="Stop above this share of rejected rows; else as the mapping says, or 0.05.",
)
@click.option(
    "--id-key-file",
    type=click.Path(path_type=Path),
    help='Key of at least 16 bytes for columns with id = "hash".',
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    mapping_path: Path,
    out: Path,
    source: Path | None,
    quarantine: Path | None,
    max_rejected_share: float | None,
    id_key_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Check, normalise, put aside, report.

    Every row of the source is accepted or put into the quarantine file with its line and reason.
    """
    mapping = load_mapping(mapping_path)
    if max_rejected_share is not None:
        mapping = replace(
            mapping, checks=replace(mapping.checks, max_rejected_share=max_rejected_share)
        )
    job = ImportJob(
        mapping=mapping,
        mapping_path=mapping_path,
        out=out,
        quarantine=quarantine or out.with_name(f"{out.name}.quarantine.ndjson"),
        now=datetime.now(UTC),
        source=source,
        id_key=_key(id_key_file),
        progress=_progress,
    )
    show = print_json_report if as_json else print_table
    try:
        show(job.run(), job)
    except TooManyRejectedError as error:
        show(error.report, job)
        raise


def print_json_report(report: ImportReport, _job: ImportJob) -> None:
    """Print the report as one JSON object."""
    print_json(report.as_document())


def print_table(report: ImportReport, job: ImportJob) -> None:
    """Print the report for a person."""
    rows = [("rows read", report.rows_read), ("rows accepted", report.rows_accepted)]
    rows += [(f"  rejected: {reason}", n) for reason, n in report.rows_rejected.items()]
    rows += [
        ("duplicate files left out", report.duplicate_files),
        ("equal rows of one file, kept", report.repeats_kept),
        ("refunds", report.refunds),
        ("cardholders", report.cardholders),
        ("merchants", report.merchants),
    ]
    width = max(len(label) for label, _ in rows)
    for label, number in rows:
        click.echo(f"{label:<{width}}  {number:>13,}")
    if report.first_at and report.last_at:
        click.echo(f"{'from':<{width}}  {report.first_at:%d %b %Y}")
        click.echo(f"{'to':<{width}}  {report.last_at:%d %b %Y}")
        click.echo(f"\nwritten to {job.out}")
    if report.rows_rejected:
        click.echo(f"rejected rows, with file, line and reason: {job.quarantine}")


def _key(path: Path | None) -> bytes | None:
    """Key of hashed ids out of its file."""
    if path is None:
        return None
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise BadInputError(f"--id-key-file {path}: cannot be read ({error.strerror})") from error
    if len(key) < MIN_KEY_BYTES:
        raise BadInputError(f"--id-key-file {path}: {len(key)} bytes; at least 16 are needed")
    return key


def _progress(done: int, files: int, rows: int) -> None:
    """Tell a person at a terminal how far the import is."""
    if sys.stderr.isatty():
        click.echo(f"\rfile {done + 1} of {files}, {rows:,} rows", nl=False, err=True)
