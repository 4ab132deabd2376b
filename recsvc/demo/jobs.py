"""The commands a demo calls, one after the other, each as a process of its own."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent


class DemoError(Exception):
    """A step failed; its own message stands above on standard error."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the demo learns from.

    Parameters
    ----------
    usage, catalog : Path
        Canonical card usage and the catalogue.
    cardholders : Path or None    profiles and consents, as NDJSON
    events : Path or None         what cardholders did with items
    """

    usage: Path
    catalog: Path
    cardholders: Path | None = None
    events: Path | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large the simulated issuer is."""

    cardholders: int = 5000
    merchants: int = 800
    transactions: int = 300_000
    items: int = 400


USUAL = Size()


def call(program: str, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> None:
    """Run one of our commands, its words shown as they come; DemoError when it fails."""
    done = subprocess.run(_command(program, arguments), env=environ, check=False)  # noqa: S603
    if done.returncode:
        raise DemoError(f"`{program} {arguments[0]}` ended with exit code {done.returncode}")


def told(program: str, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> str:
    """What one of our commands prints on standard output; CalledProcessError when it fails."""
    done = subprocess.run(  # noqa: S603 - our own program beside this interpreter
        _command(program, arguments), stdout=subprocess.PIPE, env=environ, check=True
    )
    return done.stdout.decode().strip()


def _command(program: str, arguments: tuple[str | Path, ...]) -> list[str]:
    return [str(BIN / program), *map(str, arguments)]


def issuer_of(usage: Path | None, mapping: Path | None) -> str:
    """Whose usage it is: beside a model of another issuer the gate would refuse it."""
    named = mapping or usage
    return "demo" if named is None else re.sub(r"[^A-Za-z0-9_-]+", "-", named.resolve().stem)


def simulated(folder: Path, size: Size, seed: int) -> Source:
    """Draw an issuer into a folder."""
    call(
        "recsvc-train", "simulate", "--out", folder, "--seed", str(seed),
        "--cardholders", str(size.cardholders), "--merchants", str(size.merchants),
        "--transactions", str(size.transactions), "--items", str(size.items),
    )  # fmt: skip
    return Source(
        folder / "usage.parquet",
        folder / "catalog.ndjson",
        folder / "cardholders.ndjson",
        folder / "responses.parquet",
    )


def brought(folder: Path, usage: Path, mapping: Path | None, catalog: Path | None) -> Source:
    """Bring an issuer's own usage in; without a catalogue, draw an illustrative one."""
    folder.mkdir(parents=True, exist_ok=True)
    if mapping is not None:
        raw, usage = usage, folder / "usage.parquet"
        call(
            "recsvc-train", "import", "--mapping", mapping, "--source", raw, "--out", usage,
        )  # fmt: skip
    if catalog is None:
        catalog = folder / "catalog.ndjson"
        call("recsvc-train", "illustrate", "--usage", usage, "--out", catalog)
    return Source(usage, catalog)


def trained(source: Source, shelf: Path, issuer_id: str) -> None:
    """Train and publish."""
    events = ("--events", source.events) if source.events else ()
    call(
        "recsvc-train", "run", "--usage", source.usage, "--catalog", source.catalog, *events,
        "--shelf", shelf, "--issuer", issuer_id,
    )  # fmt: skip
