"""What a person wants to see of a simulation: its size and one cardholder's life."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl

from training.simulate.trades import TRADES


def portrait(folder: Path, document: dict[str, Any]) -> str:
    """Some lines about a simulated issuer and about its first cardholder with a usual history."""
    counts = document["counts"]
    head = (
        f"{folder}: {counts['cardholders']} cardholders, {counts['merchants']} merchants, "
        f"{counts['transactions']} transactions, {counts['items']} items, "
        f"{counts['responses']} responses, "
        f"{document['opens_at'][:10]} to {document['closes_at'][:10]}"
    )
    bought = _purchases(folder / "usage.parquet")
    profile = _someone(folder / "cardholders.ndjson", bought)
    return "\n".join([head, *_life(profile, bought, folder)]) if profile else head


def _purchases(usage: Path) -> pl.LazyFrame:
    """Purchases of the first thousand cardholders."""
    counted = pl.col("status").is_in(["settled", "approved"])
    return pl.scan_parquet(usage).filter(counted, pl.col("cardholder_id") < "ch_0001000")


def _someone(profiles: Path, bought: pl.LazyFrame) -> dict[str, Any] | None:
    """Profile of the first cardholder with 20 to 80 purchases, or None."""
    busy = bought.group_by("cardholder_id").len().filter(pl.col("len").is_between(20, 80))
    ids = sorted(busy.collect()["cardholder_id"])
    if not ids:
        return None
    with profiles.open("rb") as lines:
        for line in lines:
            profile: dict[str, Any] = orjson.loads(line)
            if profile["cardholder_id"] == ids[0]:
                return profile
    return None


def _life(profile: dict[str, Any], bought: pl.LazyFrame, folder: Path) -> list[str]:
    """Lines about one cardholder: card, habits, and what was activated."""
    own = bought.filter(pl.col("cardholder_id") == profile["cardholder_id"]).collect()
    habits = own.group_by("merchant_id", "merchant_name", "mcc").agg(
        pl.len().alias("visits"), (pl.col("amount_minor").mean() / 100).alias("yuan")
    )
    top = habits.sort("visits", "merchant_id", descending=[True, False]).head(8)
    category = {trade.mcc: trade.category for trade in TRADES}
    cards = ", ".join(c["card_product_id"] for c in profile["card_products"])
    return [
        f"{profile['cardholder_id']} in {profile['city']} holds {cards}; "
        f"segments {', '.join(profile['segments']) or 'none'}; "
        f"{own.height} purchases at {habits.height} merchants:",
        *(
            f"  {row['visits']:3d} x {row['merchant_name']} ({category[row['mcc']]}), "
            f"{row['yuan']:.0f} yuan each"
            for row in top.iter_rows(named=True)
        ),
        *_activated(profile["cardholder_id"], folder),
    ]


def _activated(cardholder_id: str, folder: Path) -> list[str]:
    """Titles of the first five items that the cardholder activated."""
    log = pl.scan_parquet(folder / "responses.parquet").filter(
        pl.col("cardholder_id") == cardholder_id, pl.col("type") == "activated"
    )
    wanted = log.collect()["item_id"].to_list()[:5]
    with (folder / "catalog.ndjson").open("rb") as lines:
        title = {item["item_id"]: item["title"]["zh-CN"] for item in map(orjson.loads, lines)}
    return [f"  activated {title[item_id]}" for item_id in wanted]
