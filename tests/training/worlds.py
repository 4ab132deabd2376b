"""Card usage with a known right answer, written by hand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from training.usage import polars_schema

OPENS_AT = datetime(2025, 1, 1, 9, tzinfo=UTC)
FIRST_DAY = 20_089  # 2025-01-01


def a_transaction(cardholder: str, merchant: str, day: int = 0, **changes: Any) -> dict[str, Any]:
    """One row of card usage, ``day`` days after the world opened."""
    return {
        "cardholder_id": cardholder,
        "merchant_id": merchant,
        "amount_minor": 1000,
        "currency": "CNY",
        "occurred_at": OPENS_AT + timedelta(days=day),
        "status": "settled",
        **changes,
    }


def an_event(number: int, cardholder: str, item: str, day: int, **changes: Any) -> dict[str, Any]:
    """One response, in the form of ``POST /v1/events``."""
    return {
        "event_id": f"e_{number}",
        "type": "activated",
        "cardholder_id": cardholder,
        "item_id": item,
        "occurred_at": (OPENS_AT + timedelta(days=day)).isoformat(),
        **changes,
    }


def checkerboard_usage(
    n_cardholders: int = 60, n_merchants: int = 10, days: int = 100
) -> Iterator[dict[str, Any]]:
    """Even cardholders buy at even merchants, odd ones at odd.

    Each keeps away from one merchant of his colour, ``(i + 2) mod n_merchants``, until the last
    ten days, when he buys nowhere else: it is the answer a model must give him first.
    """
    for i in range(n_cardholders):
        missing = (i + 2) % n_merchants
        colour = range(i % 2, n_merchants, 2)
        known = [j for j in colour if j != missing]
        for day in range(0, days - 10, 9):
            merchant = known[(day // 9) % len(known)]
            yield _visit(i, merchant, day)
        yield _visit(i, missing, days - 5)
    yield _visit(0, 0, days - 1)


def _visit(i: int, j: int, day: int) -> dict[str, Any]:
    return a_transaction(
        f"ch_{i}",
        f"m_{j}",
        day,
        merchant_name=f"Shop {j}",
        mcc="5812" if j % 2 == 0 else "5411",
        card_product_id="gold" if i % 2 == 0 else "classic",
        city="shanghai",
    )


@dataclass(frozen=True, slots=True)
class World:
    """Files of one issuer."""

    folder: Path

    @property
    def usage(self) -> Path:
        """Card usage."""
        return self.folder / "usage.parquet"

    @property
    def catalog(self) -> Path:
        """Catalogue."""
        return self.folder / "catalog.ndjson"

    @property
    def events(self) -> Path:
        """Responses."""
        return self.folder / "responses.ndjson"

    def arguments(self) -> list[str]:
        """What ``recsvc-train run`` is called with."""
        given = ["--usage", self.usage, "--catalog", self.catalog, "--issuer", "demo"]
        return [str(a) for a in [*given, "--shelf", self.folder / "shelf"]]


def a_world(
    folder: Path,
    usage: Iterable[dict[str, Any]] | None = None,
    catalog: Iterable[dict[str, Any]] = (),
    events: Iterable[dict[str, Any]] = (),
) -> World:
    """Write the files; the checkerboard's usage unless another is given."""
    world = World(folder)
    rows = list(checkerboard_usage() if usage is None else usage)
    pl.DataFrame(rows, polars_schema()).write_parquet(world.usage)
    write_lines(world.catalog, catalog)
    write_lines(world.events, events)
    return world


def write_lines(path: Path, documents: Iterable[dict[str, Any]]) -> None:
    """Write NDJSON."""
    path.write_bytes(b"".join(orjson.dumps(d) + b"\n" for d in documents))
