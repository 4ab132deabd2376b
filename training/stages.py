"""What a run tells on its way, and how long and how much memory each stage took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from training.memory import forget_peak, give_back, let_go_of_readers, peak_rss_bytes


class Teller(Protocol):
    """Somewhere to tell how far the run is."""

    def begin(self, stage: str) -> None:
        """Say that a stage begins."""

    def advance(self, done: int, total: int) -> None:
        """Say how far the stage is."""

    def end(self, seconds: float) -> None:
        """Say that the stage is over."""


class PlainTeller:
    """Plain lines, one when a stage begins and one when it ends.

    Parameters
    ----------
    out : text file
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._stage = ""

    def begin(self, stage: str) -> None:
        """Write ``stage …`` at once."""
        self._stage = stage
        self._line(f"{stage} …")

    def advance(self, done: int, total: int) -> None:
        """Write quarters only: a log is no place for a bar."""
        if total >= 4 and done < total and done % max(total // 4, 1) == 0:
            self._line(f"{self._stage}: {done} of {total}")

    def end(self, seconds: float) -> None:
        """Write ``stage: 1.2 s``."""
        self._line(f"{self._stage}: {seconds:.1f} s")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class RichTeller:
    """A progress bar on a terminal; a context manager."""

    def __init__(self, out: IO[str]) -> None:
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(file=out),
        )
        self._task = self._bars.add_task("", visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, stage: str) -> None:
        """Open a bar of unknown length."""
        self._task = self._bars.add_task(stage, total=None)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        self._bars.update(self._task, completed=done, total=total)

    def end(self, seconds: float) -> None:  # noqa: ARG002 - the bar shows it
        """Fill the bar."""
        self._bars.update(self._task, completed=1, total=1)


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one stage took.

    Parameters
    ----------
    name : str
    seconds : float
    peak_rss_bytes : int
        Largest resident memory of the process within the stage; up to its end where the system
        cannot tell the two apart.
    """

    name: str
    seconds: float
    peak_rss_bytes: int


@dataclass(slots=True)
class Stages:
    """Stages of one run, told and measured.

    Parameters
    ----------
    teller : Teller
    records : list of StageRecord
        Of the stages that are over.
    peak_bytes : int
        Largest resident memory before the last stage began, between stages included.
    """

    teller: Teller
    records: list[StageRecord] = field(default_factory=list)
    peak_bytes: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[Teller]:
        """Tell and measure what happens inside; what earlier stages freed is handed back first."""
        self.peak_bytes = max(self.peak_bytes, peak_rss_bytes())
        give_back()
        let_go_of_readers()
        forget_peak()
        started = time.perf_counter()
        self.teller.begin(name)
        yield self.teller
        seconds = time.perf_counter() - started
        self.records.append(StageRecord(name, round(seconds, 3), peak_rss_bytes()))
        self.teller.end(seconds)

    def as_document(self) -> list[dict[str, Any]]:
        """JSON form of the stages that are over."""
        return [
            {"name": r.name, "seconds": r.seconds, "peak_rss_bytes": r.peak_rss_bytes}
            for r in self.records
        ]
