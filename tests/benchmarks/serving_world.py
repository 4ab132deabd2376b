"""An issuer of any size for the serving benchmarks: drawn at once as arrays, never trained.

Speed and memory depend on sizes and on how many items terms refuse, not on what the numbers mean.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Catalog, parse_item
from embeddings.factors import Factors, HalfStep, gram_of
from embeddings.model import History, Labels, Model
from embeddings.vocabulary import ColumnKind, Vocabulary, column_id
from tests.bundles import AS_OF_DAY, KEY

PRODUCTS = ("everyday", "travel", "student", "business", "family")
TIERS = ("classic", "gold", "platinum")
CITIES = ("Beijing", "Shanghai", "Guangzhou", "Shenzhen", "Chengdu", "Hangzhou")
SEGMENTS = ("new", "salary", "vip")
MCCS = tuple(str(5300 + 7 * n) for n in range(60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the issuer is."""

    cardholders: int = 100_000
    merchants: int = 20_000
    merchants_with_items: int = 5_000
    items: int = 20_000
    factors: int = 64
    cells_each: int = 40


def a_big_catalog(size: Size, seed: int = 1) -> Catalog:
    """Catalogue whose items use every kind of term; a third or so are eligible for anyone."""
    chance = np.random.default_rng(seed)
    return Catalog.of(parse_item(_document(n, size, chance)) for n in range(size.items))


def _document(number: int, size: Size, chance: np.random.Generator) -> dict[str, Any]:
    merchant = int(chance.integers(min(size.merchants, size.merchants_with_items)))
    shared = {
        "title": {"zh-CN": f"权益{number}", "en": f"Item {number}"},
        "category": f"kind_{merchant % 20}",
        "terms": _terms(chance),
        "priority": int(chance.integers(0, 1000)) if chance.random() < 0.1 else 0,
        "sponsored": bool(chance.random() < 0.005),
    }
    if chance.random() < 0.1:
        return {
            **shared,
            "item_id": f"benefit_{number}",
            "kind": "benefit",
            "benefit_type": "lounge",
            "merchant_ids": [f"m_{merchant}"],
            "mccs": [MCCS[merchant % len(MCCS)]],
            "quota": {"count": 2, "period": "month"},
        }
    return {
        **shared,
        "item_id": f"offer_{number}",
        "kind": "merchant_offer",
        "merchant_id": f"m_{merchant}",
        "mcc": MCCS[merchant % len(MCCS)],
        "reward": {"type": "cashback_percent", "rate_bps": 500},
    }


def _terms(chance: np.random.Generator) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "starts_at": f"2026-{int(chance.integers(1, 3)):02d}-01T00:00:00Z",
        "ends_at": f"2026-{int(chance.integers(2, 13)):02d}-15T00:00:00Z",
    }
    for name, values in (
        ("card_products", PRODUCTS),
        ("tiers", TIERS),
        ("cities", CITIES),
        ("segments", SEGMENTS),
        ("channels", ("mobile_app", "web", "push")),
        ("days_of_week", (1, 2, 3, 4, 5, 6, 7)),
    ):
        if chance.random() < 0.2:
            few = chance.choice(len(values), size=int(chance.integers(1, 3)), replace=False)
            terms[name] = [values[int(place)] for place in few]
    if chance.random() < 0.1:
        terms["customer_recency"] = {"at": "merchant", "min_days": 30}
    if chance.random() < 0.05:
        terms["exclusive_group"] = f"group_{int(chance.integers(50))}"
    return terms


def a_big_model(size: Size, seed: int = 1) -> Model:
    """Model of this size with drawn factors, histories and shares."""
    chance = np.random.default_rng(seed)
    cardholders = Vocabulary.build((f"ch_{n}" for n in range(size.cardholders)), KEY)
    merchants = [column_id(ColumnKind.MERCHANT, f"m_{n}") for n in range(size.merchants)]
    categories = [column_id(ColumnKind.CATEGORY, mcc) for mcc in MCCS]
    columns = Vocabulary.build([*merchants, *categories], KEY)
    vectors = _vectors(len(columns), size.factors, chance)
    vectors *= np.exp(chance.normal(0, 0.8, (len(columns), 1))).astype(np.float32)
    history = _history(size, len(columns), chance)
    names = list(columns)
    rows_of = {mcc: columns.row(column_id(ColumnKind.CATEGORY, mcc)) for mcc in MCCS}
    segments = ("all", *(f"product:{p}|city:{c}" for p in PRODUCTS for c in CITIES))
    return Model(
        cardholders,
        columns,
        Factors(
            _vectors(size.cardholders, size.factors, chance),
            vectors,
            np.ones(len(columns), np.float32),
            HalfStep(),
            gram_of(vectors),
        ),
        history,
        _parents(names, rows_of),
        np.bincount(history.rows, minlength=len(columns)).astype(np.int32),
        Labels.of([f"店 {name.partition(':')[2]}" for name in names]),
        segments,
        chance.random((len(segments), len(columns)), np.float32),
        Catalog.of(()),
    )


def _vectors(n: int, n_factors: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Vectors whose spectrum falls as that of trained ones does, in directions of no meaning.

    On simulated and real usage the 8th singular value was about 0.4 of the first, the 64th 0.1.
    """
    spread = 0.3 * np.arange(1, n_factors + 1) ** -0.45
    turn = np.linalg.qr(np.random.default_rng(n_factors).normal(size=(n_factors, n_factors)))[0]
    turned = (spread[:, None] * turn).astype(np.float32)
    return np.asarray(chance.standard_normal((n, n_factors), np.float32) @ turned)


def _parents(names: list[str], rows_of: dict[str, int | None]) -> NDArray[np.int32]:
    """Category row of each merchant column, -1 for the others."""
    return np.array(
        [
            (rows_of[MCCS[int(name.removeprefix("merchant:m_")) % len(MCCS)]] or 0)
            if name.startswith("merchant:")
            else -1
            for name in names
        ],
        np.int32,
    )


def _history(size: Size, n_columns: int, chance: np.random.Generator) -> History:
    """The same number of cells for everyone, at columns that are drawn once each."""
    n_cells = size.cardholders * size.cells_each
    first = chance.integers(0, n_columns, size.cardholders)[:, None]
    step = np.arange(size.cells_each)[None] * (n_columns // size.cells_each)
    rows = np.sort((first + step) % n_columns, axis=1).astype(np.int32)
    return History(
        np.arange(0, n_cells + 1, size.cells_each, dtype=np.int64),
        rows.ravel(),
        chance.random(n_cells, np.float32) + np.float32(0.5),
        chance.integers(1, 9, n_cells).astype(np.int32),
        (AS_OF_DAY - chance.integers(0, 300, n_cells)).astype(np.int32),
    )
