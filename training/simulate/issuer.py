"""A whole simulated issuer into one folder; on failure the folder is left as it was."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from embeddings.catalog import Catalog, write_catalog
from training.errors import BadInputError
from training.simulate.cardholders import Cardholders, draw_cardholders, profiles
from training.simulate.items import Items, draw_items
from training.simulate.ledger import Ledger
from training.simulate.merchants import Merchants, draw_merchants, merchant_id
from training.simulate.parameters import Parameters
from training.simulate.places import CITIES, PRODUCTS, SEGMENTS
from training.simulate.pushes import write_pushes
from training.simulate.responses import draw_responses, write_responses
from training.simulate.spool import Names, write_usage
from training.simulate.trades import CATEGORY_NAMES, TRADES
from training.simulate.truth import Truth
from training.simulate.visits import draw_usage

FORMAT = 1
Say = Callable[[str], None]


def simulate(asked: Parameters, folder: Path, say: Say) -> dict[str, Any]:
    """Draw an issuer into ``folder`` and return what stands in its ``simulation.json``.

    Files: ``usage.parquet``, ``catalog.ndjson``, ``cardholders.ndjson``, ``responses.parquet``,
    ``pushes.parquet``, ``merchants.parquet``, ``truth/``, ``simulation.json`` (written last). An
    earlier simulation in the folder is replaced; any other content is refused.

    Parameters
    ----------
    asked : Parameters
    folder : Path
        New, empty, or holding an earlier simulation.
    say : function of one line
        Progress.

    Raises
    ------
    BadInputError
        When the folder holds something else or cannot be written.
    """
    _refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise BadInputError(f"--out: {folder} cannot be written: {error.strerror}") from error
    try:
        document = _draw_into(draft, asked, say)
        draft.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return document


def _refuse_foreign(folder: Path) -> None:
    """BadInputError unless the folder is new, empty or an earlier simulation."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BadInputError(f"--out: {folder} is a file; name a folder")
    if any(folder.iterdir()) and not (folder / "simulation.json").exists():
        raise BadInputError(
            f"--out: {folder} holds files of another kind; name a new or empty folder"
        )


def _draw_into(folder: Path, asked: Parameters, say: Say) -> dict[str, Any]:
    """Draw and write everything; returns the document of ``simulation.json``."""
    people, merchants = draw_cardholders(asked), draw_merchants(asked)
    items = draw_items(asked, merchants)
    say(f"drew {len(people)} cardholders, {len(merchants)} merchants, {len(items)} items")
    names = Names.of(len(people), merchants)
    watched = items.recency_merchant[items.recency_merchant >= 0]
    ledger = Ledger(asked, watched, len(merchants))
    usage = ledger.watching(draw_usage(asked, people, merchants))
    written = write_usage(folder / "usage.parquet", usage, asked, names)
    say(f"wrote {written} transactions")
    events = draw_responses(asked, people, items, ledger)
    responses = write_responses(folder / "responses.parquet", events, asked, names, items)
    say(f"wrote {responses} responses")
    write_catalog(folder / "catalog.ndjson", Catalog.of(items.catalog))
    _write_profiles(folder / "cardholders.ndjson", people, asked)
    _write_merchants(folder / "merchants.parquet", merchants, asked)
    truth = Truth.of(asked, people, merchants, items, ledger)
    truth.save(folder)
    pushes = write_pushes(folder / "pushes.parquet", asked, people, items, truth)
    document = _document(
        folder, asked, people, items, ledger, {"responses": responses, "pushes": pushes}
    )
    (folder / "simulation.json").write_text(
        json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    return document


def _write_profiles(path: Path, people: Cardholders, asked: Parameters) -> None:
    """One profile with consent a line."""
    with path.open("wb") as lines:
        for profile in profiles(people, asked):
            lines.write(orjson.dumps(profile) + b"\n")


def _write_merchants(path: Path, merchants: Merchants, asked: Parameters) -> None:
    """Table of merchants; ``city`` is null for one that trades in every city."""
    trades = [TRADES[t] for t in merchants.trade]
    table = pa.table(
        {
            "merchant_id": [merchant_id(row) for row in range(len(merchants))],
            "name_zh": merchants.zh,
            "name_en": merchants.en,
            "mcc": [t.mcc for t in trades],
            "category": [t.category for t in trades],
            "city": [CITIES[c].city if c >= 0 else None for c in merchants.city],
            "online": merchants.online,
            "chain": merchants.chain,
            "open": merchants.closes >= asked.days,
        }
    )
    pq.write_table(table, path, compression="zstd", store_schema=False)


def _document(
    folder: Path,
    asked: Parameters,
    people: Cardholders,
    items: Items,
    ledger: Ledger,
    logged: dict[str, int],
) -> dict[str, Any]:
    """What was asked for, what came of it, and the fingerprint of every file."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    hashes = {str(p.relative_to(folder)): _sha256(p) for p in files}
    return {
        "format": FORMAT,
        "parameters": asked.as_document(),
        "opens_at": asked.opens_at.isoformat().replace("+00:00", "Z"),
        "closes_at": asked.closes_at.isoformat().replace("+00:00", "Z"),
        "counts": {
            "cardholders": len(people),
            "cardholders_with_purchases": int(np.count_nonzero(ledger.transactions)),
            "merchants": asked.merchants,
            "merchants_with_purchases": int(np.count_nonzero(ledger.purchases_at)),
            "transactions": asked.transactions,
            "purchases": int(ledger.transactions.sum()),
            "items": len(items),
            "cold_items": int(items.cold.sum()),
            **logged,
        },
        "card_products": [
            {
                "card_product_id": p.card_product_id,
                "tier": p.tier,
                "name": {"zh-CN": p.zh, "en": p.en},
            }
            for p in PRODUCTS
        ],
        "cities": [{"city": c.city, "name": {"zh-CN": c.zh, "en": c.en}} for c in CITIES],
        "segments": list(SEGMENTS),
        "categories": {
            word: {"name": {"zh-CN": zh, "en": en}} for word, (zh, en) in CATEGORY_NAMES.items()
        },
        "sha256": hashes,
        "fingerprint": hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest(),
    }


def _sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
