"""Files that are bombs: refused by what they declare, or read in memory that does not grow."""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from embeddings.catalog import read_catalog
from embeddings.errors import CatalogError
from training.errors import BadInputError
from training.lines import MAX_LINE_BYTES, PACKED, line_blocks
from training.mapping.csv_source import read_csv
from training.mapping.spec import Source
from training.matrix.events import event_batches
from training.matrix.profiles import read_profiles
from training.usage import scan
from training.usage.limits import MAX_COLUMNS, refuse_outsized

HEADER = b"cardholder_id,merchant_id,amount_minor,currency,occurred_at"
ROW = b"c1,m1,100,GBP,2024-03-01T10:00:00Z"
GIB = 2**30


def an_endless_line(path: Path, start: bytes = b"") -> Path:
    """A file of one GiB without a line end; it takes no room on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(GIB)
    return path


def peak_bytes(code: str, *arguments: str) -> tuple[int, str]:
    """What a process of its own needed beyond its imports, and what it said."""
    whole = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from training.usage import scan\nfrom training.errors import BadInputError\n"
        "from embeddings.catalog import read_catalog\nfrom embeddings.errors import CatalogError\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        f"before = peak()\n{code}\nprint(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", whole, *arguments], capture_output=True, text=True, check=True
    )
    *said, last = done.stdout.splitlines()
    return int(last), "\n".join(said)


REFUSED = """
try:
    {}(Path(sys.argv[1]))
except {} as error:
    print(error)
"""


def test_F52_a_gigabyte_without_a_line_end_is_refused_and_never_held(tmp_path: Path) -> None:
    usage = an_endless_line(tmp_path / "usage.csv", HEADER + b"\n" + ROW + b"\n")
    catalog = an_endless_line(tmp_path / "catalog.ndjson", b'{"item_id":"')
    grown, said = peak_bytes(REFUSED.format("scan", "BadInputError"), str(usage))
    grown_too, said_too = peak_bytes(REFUSED.format("read_catalog", "CatalogError"), str(catalog))

    assert "line 3 is longer than 1 MiB" in said
    assert "line 1: longer than" in said_too
    assert max(grown, grown_too) < 64 * 2**20


def test_F52_profiles_of_one_endless_line_are_refused(tmp_path: Path) -> None:
    path = an_endless_line(tmp_path / "profiles.ndjson", b'{"cardholder_id":"')
    with pytest.raises(BadInputError, match="line 1: no profile"):
        read_profiles(path)


def test_F52_events_and_pushes_of_one_endless_line_are_refused_and_never_held(
    tmp_path: Path,
) -> None:
    path = an_endless_line(tmp_path / "events.ndjson", b'{"event_id":"')
    log = (
        "from training.matrix.events import event_batches\n"
        "from training.propensity.campaigns import read_campaigns\n"
        "def all_of(path):\n    for _ in event_batches(path, ['viewed']): pass\n"
    )
    grown, said = peak_bytes(log + REFUSED.format("all_of", "BadInputError"), str(path))
    grown_too, said_too = peak_bytes(
        log + REFUSED.format("read_campaigns", "BadInputError"), str(path)
    )

    assert "events.ndjson: line 1 is longer than 1 MiB" in said
    assert "events.ndjson: line 1 is longer than 1 MiB" in said_too
    assert max(grown, grown_too) < 128 * 2**20


def test_F52_a_packed_log_of_events_is_refused(tmp_path: Path) -> None:
    (path := tmp_path / "events.ndjson").write_bytes(gzip.compress(b"{}\n" * 1000))

    with pytest.raises(BadInputError, match=r"events\.ndjson: is packed; unpack it"):
        list(event_batches(path, ["viewed"]))


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 64))
def test_blocks_of_lines_are_the_text_cut_behind_ends_of_lines(
    parts: list[bytes], block: int
) -> None:
    text = b"\n".join(parts)
    assume(not text.startswith(PACKED))
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(text)
        blocks = list(line_blocks(Path(file.name), block_bytes=block))

    assert b"".join(blocks) == text
    assert all(one.endswith(b"\n") for one in blocks[:-1])


def test_F52_many_rows_in_few_bytes_are_read_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    path, rows, groups = tmp_path / "usage.parquet", 1_000_000, 5
    columns = {
        "cardholder_id": pa.repeat(pa.scalar("c1"), rows),
        "merchant_id": pa.repeat(pa.scalar("m1"), rows),
        "amount_minor": pa.repeat(pa.scalar(100), rows),
        "currency": pa.repeat(pa.scalar("GBP"), rows),
        "occurred_at": pa.repeat(pa.scalar(0, pa.timestamp("us", "UTC")), rows),
    }
    table = pa.table(columns)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(groups):
            writer.write_table(table, row_group_size=rows)
    small, _ = peak_bytes("scan(Path(sys.argv[1]))", str(a_small_table(tmp_path)))
    grown, _ = peak_bytes("scan(Path(sys.argv[1]))", str(path))

    assert path.stat().st_size < 128 * 1024
    assert grown - small < 64 * 2**20  # the rows as such are some 200 MiB


def a_small_table(folder: Path) -> Path:
    path = folder / "small.csv"
    path.write_bytes(HEADER + b"\n" + ROW + b"\n")
    scan(path).collect().write_parquet(folder / "small.parquet")
    return folder / "small.parquet"


def test_F52_a_hundred_thousand_columns_are_refused(tmp_path: Path) -> None:
    names = [f"x{n}" for n in range(100_000)]
    wide_csv, wide_parquet = tmp_path / "wide.csv", tmp_path / "wide.parquet"
    wide_csv.write_bytes(HEADER + b"," + ",".join(names).encode() + b"\n" + ROW + b"\n")
    few = names[: MAX_COLUMNS + 1]
    pq.write_table(pa.table([pa.array([1])] * len(few), names=few), wide_parquet)

    for path in (wide_csv, wide_parquet):
        with pytest.raises(BadInputError, match="columns, more than 4,096"):
            scan(path)
    with pytest.raises(BadInputError, match=r"names 100,005 columns"):
        list(read_csv(wide_csv, Source(format="csv", files=("*.csv",)), ("cardholder_id",)))


def test_F52_packed_text_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_bytes(gzip.compress(HEADER + b"\n" + (ROW + b"\n") * 100_000))

    with pytest.raises(BadInputError, match="is packed; unpack it"):
        scan(path)


@pytest.mark.parametrize(("extra", "is_taken"), [(0, True), (1, False)])
def test_a_line_of_just_the_limit_passes(tmp_path: Path, extra: int, is_taken: bool) -> None:
    path = tmp_path / "usage.csv"
    for before in (b"", b"short\n", b"x" * (MAX_LINE_BYTES // 2) + b"\n"):
        path.write_bytes(before + b"y" * (MAX_LINE_BYTES + extra) + b"\nlast")
        try:
            refuse_outsized([path])
        except BadInputError:
            assert not is_taken
        else:
            assert is_taken


def test_a_catalogue_line_of_just_the_limit_is_told_from_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "catalog.ndjson"
    for length, told in ((64 * 1024 - 1, "not JSON"), (64 * 1024, "longer than")):  # and its end
        path.write_bytes(b"x" * length + b"\n{}\n")
        with pytest.raises(CatalogError, match=f"line 1: {told}"):
            read_catalog(path)


def test_a_parquet_file_with_a_column_twice_is_refused_by_its_name(tmp_path: Path) -> None:
    path, cells = tmp_path / "usage.parquet", pa.array(["c1"])
    pq.write_table(pa.Table.from_arrays([cells, cells], names=["cardholder_id"] * 2), path)

    with pytest.raises(BadInputError, match="cardholder_id comes twice"):
        scan(path)
