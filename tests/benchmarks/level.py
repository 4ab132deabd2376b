"""Whether what processes hold stays level: samples of it, and the slope fitted through them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

VERSION = re.compile(r"/versions/([^/\s]+)/")
FROM_SHARE = 1 / 3
"""The first third of the samples shows caches and pools that fill; it does not count."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process held at one moment.

    Parameters
    ----------
    pid : int
    bundles : float       bundles published so far, with the part of the pause that had passed
    own_bytes : int       anonymous memory, which it shares with no file
    resident_bytes : int  all of its memory, mapped files included
    descriptors : int     open files and sockets
    versions : int        bundles of which it has files mapped
    """

    pid: int
    bundles: float
    own_bytes: int
    resident_bytes: int
    descriptors: int
    versions: int

    @classmethod
    def of(cls, pid: int, bundles: float) -> "Sample":
        """Sample of a process that lives; FileNotFoundError when it is gone."""
        folder = Path(f"/proc/{pid}")
        rollup = folder.joinpath("smaps_rollup").read_text()
        mapped = set(VERSION.findall(folder.joinpath("maps").read_text()))
        opened = len(list(folder.joinpath("fd").iterdir()))
        return cls(
            pid, bundles, _bytes(rollup, "Anonymous"), _bytes(rollup, "Rss"), opened, len(mapped)
        )


def _bytes(rollup: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", rollup, re.MULTILINE)
    if found is None:
        raise ValueError(f"smaps_rollup: no line {name}; this kernel does not tell it")
    return 1024 * int(found[1])


@dataclass(frozen=True, slots=True)
class Level:
    """What the samples of all processes come to, the worst of them.

    Parameters
    ----------
    own_bytes_per_bundle, resident_bytes_per_bundle : float
        Slope of the least-squares line through the last two thirds of a process' samples.
    descriptors_grown : float
        Median of the descriptors in the last third less that in the third before.
    versions_held : int
        Most bundles mapped at a time.
    """

    own_bytes_per_bundle: float
    resident_bytes_per_bundle: float
    descriptors_grown: float
    versions_held: int

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Level":
        """Level of samples in the order taken; ValueError below six of a process."""
        pids = sorted({one.pid for one in samples})
        each = [_late([one for one in samples if one.pid == pid]) for pid in pids]
        return cls(
            max(_slope(late, [one.own_bytes for one in late]) for late in each),
            max(_slope(late, [one.resident_bytes for one in late]) for late in each),
            max(_grown([one.descriptors for one in late]) for late in each),
            max(one.versions for late in each for one in late),
        )


def _late(own: list[Sample]) -> list[Sample]:
    """The samples of one process that count."""
    if len(own) < 6:
        raise ValueError(f"samples: {len(own)} of a process, a slope needs at least 6")
    return own[int(len(own) * FROM_SHARE) :]


def _slope(samples: Sequence[Sample], values: Sequence[int]) -> float:
    return linear_regression([one.bundles for one in samples], values).slope


def _grown(values: Sequence[int]) -> float:
    """How much higher the second half stands than the first."""
    middle = len(values) // 2
    return float(median(values[middle:]) - median(values[:middle]))
