"""Memory is handed back: measured in this process, as the kernel counts it."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from weakref import ref

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from training.allocators import THRIFTY, be_thrifty
from training.matrix.scratch import Scratch, on_disk
from training.memory import (
    forget_peak,
    let_go,
    let_go_of_readers,
    peak_rss_bytes,
    what_is_loaded_spared,
)

MB = 1 << 20


def resident_of_files() -> int:
    """Bytes of mapped files that are in memory now."""
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("resident memory is read off /proc")
    (line,) = (one for one in status.read_text("ascii").splitlines() if one.startswith("RssFile"))
    return int(line.split()[1]) * 1024


def test_a_table_on_disk_is_the_table_and_leaves_memory_when_let_go() -> None:
    table = np.random.default_rng(3).random((4 * MB // 16, 16), np.float32)
    before = resident_of_files()
    mapped = on_disk(table)
    np.testing.assert_array_equal(mapped, table)
    held = resident_of_files()
    let_go(mapped[:5])

    assert held - before >= 15 * MB
    assert resident_of_files() - before < 2 * MB
    np.testing.assert_array_equal(mapped, table)


def test_arrays_without_a_file_are_let_go_unharmed() -> None:
    plain = np.arange(5)
    let_go(plain, plain[2:])

    assert plain.tolist() == [0, 1, 2, 3, 4]


def test_scratch_arrays_are_their_parts_in_order_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Scratch(days="i4", strength="f4") as scratch:
        for days in ([1, 2], [], [3]):
            scratch.append(days=np.array(days), strength=np.array(days) / 2)
        found = scratch.mapped()
        assert list(tmp_path.iterdir()) == []

    assert found["days"].tolist() == [1, 2, 3]
    assert found["strength"].dtype == np.float32
    assert found["strength"].tolist() == [0.5, 1.0, 1.5]


def test_scratch_arrays_of_nothing_are_empty() -> None:
    with Scratch(days="i4") as scratch:
        assert scratch.mapped()["days"].tolist() == []


def test_the_peak_is_that_since_it_was_forgotten() -> None:
    np.ones(64 * MB, np.uint8).sum()
    high = peak_rss_bytes()
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system does not let a process forget its peak")
    forget_peak()

    assert peak_rss_bytes() < high - 32 * MB


def test_what_the_environment_says_of_allocators_stands() -> None:
    asked = dict.fromkeys(THRIFTY, "mine")
    silent: dict[str, str] = {}
    be_thrifty(asked)
    be_thrifty(silent)

    assert set(asked.values()) == {"mine"}
    assert silent == THRIFTY


def test_the_code_of_readers_leaves_memory_and_is_read_again_when_run(tmp_path: Path) -> None:
    table, path = pl.DataFrame({"a": [3, 1, 2]}), tmp_path / "a.parquet"
    table.write_parquet(path)
    sorted_before = table.lazy().sort("a").collect()["a"].to_list()
    held = resident_of_files()
    let_go_of_readers()
    left = resident_of_files()

    assert left < held - 8 * MB
    assert pq.read_table(path).to_pydict() == {"a": [3, 1, 2]}
    assert table.lazy().sort("a").collect()["a"].to_list() == sorted_before == [1, 2, 3]


THREADS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from training.allocators import be_thrifty, share_heaps

if sys.argv[1] == "shared":
    be_thrifty(os.environ)
    share_heaps(os.environ)

import numpy as np
from training.memory import give_back, map_large_blocks

def own_memory():
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    (line,) = (one for one in status if one.startswith("RssAnon"))
    return int(line.split()[1]) * 1024

def work(_):
    several = [np.ones(1 << 20, np.uint8) for _ in range(12)]
    return [one[0] for one in several]

map_large_blocks()
before = own_memory()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(work, range(40)))
give_back()
print(own_memory() - before)
"""


@pytest.mark.parametrize(("heaps", "least", "most"), [("shared", -32, 4), ("apart", 8, 64)])
def test_what_threads_freed_leaves_memory_where_they_share_one_heap(
    heaps: str, least: int, most: int
) -> None:
    resident_of_files()  # skips where there is no /proc
    bare = {name: word for name, word in os.environ.items() if name not in THRIFTY}
    told = subprocess.run(
        [sys.executable, "-c", THREADS, heaps], capture_output=True, text=True, check=True, env=bare
    )

    assert least * MB <= int(told.stdout) <= most * MB


ALONE = """
import gc
from pathlib import Path
import numpy as np
from training.memory import map_large_blocks

def own_memory():
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    (line,) = (one for one in status if one.startswith("RssAnon"))
    return int(line.split()[1]) * 1024

map_large_blocks()
gc.disable()
np.ones(1 << 23, np.uint8)  # freed at once: from here on glibc would keep this size
before = own_memory()
several = [np.ones(1 << 23, np.uint8) for _ in range(8)]
stays = np.ones(1 << 20, np.uint8)
held = own_memory()
del several
print(held - before, own_memory() - before)
"""


def test_an_array_below_one_that_stays_leaves_memory_when_it_is_freed() -> None:
    resident_of_files()  # skips where there is no /proc
    told = subprocess.run(  # alone: what other tests left in memory comes and goes as it likes
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=True
    )
    held, left = (int(size) for size in told.stdout.split())

    assert held >= 60 * MB
    assert left < 8 * MB


class Knot:
    """Holds itself, so that only the search for garbage can free it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_loaded_is_left_out_of_the_search_for_garbage_and_what_comes_is_not() -> None:
    before = gc.get_freeze_count()
    with what_is_loaded_spared():
        spared, come = gc.get_freeze_count(), ref(Knot())
        gc.collect()
        assert come() is None

    assert spared > before + 1000
    assert gc.get_freeze_count() == 0


def test_garbage_is_sought_everywhere_again_though_the_run_failed() -> None:
    known = [Knot()]
    seen = ref(known[0])

    def fail() -> None:
        with what_is_loaded_spared():
            known.clear()
            gc.collect()
            assert seen() is not None
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        fail()
    gc.collect()

    assert seen() is None
