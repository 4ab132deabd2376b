"""The whole job in worlds with a known answer."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from embeddings.bundle import Bundle
from embeddings.erasure import FILE_NAME, ErasedList, erased_hash
from embeddings.shelf import Shelf
from tests.bundles import an_offer
from tests.training.worlds import World, a_transaction, a_world, an_event, checkerboard_usage
from training.cli import group
from training.errors import BadInputError

SMALL = "[gate]\nmin_interactions = 10\nmin_cardholders = 2\n[model]\nn_factors = 8\n"


def train(world: World, *more: str) -> Result:
    """Call the command as a user does."""
    config = world.folder / "small.toml"
    config.write_text(SMALL, "utf-8")
    arguments = ["run", *world.arguments(), "--config", str(config), "--json", *more]
    return CliRunner().invoke(group, arguments, catch_exceptions=False)


def published(world: World, *more: str) -> Bundle:
    """Train and open what was published."""
    result = train(world, *more)
    assert result.exit_code == 0, result.output
    bundle = Shelf(world.folder / "shelf", "demo").current()
    assert bundle is not None
    return bundle


def scores_of(bundle: Bundle, cardholder: str) -> dict[str, float]:
    """Score of every column for one cardholder."""
    row = bundle.model.cardholders.row(cardholder)
    assert row is not None
    scores = bundle.model.factors.columns @ bundle.model.factors.cardholders[row]
    return {name: float(scores[r]) for r, name in enumerate(bundle.model.columns)}


def history_of(bundle: Bundle, cardholder: str) -> dict[str, tuple[float, int]]:
    """Strength and visits of every column one cardholder met."""
    row = bundle.model.cardholders.row(cardholder)
    if row is None:
        return {}
    history, cells = bundle.model.history, bundle.model.history.cells(row)
    names = bundle.model.columns.ids(history.rows[cells])
    return {
        name: (round(float(s), 4), int(v))
        for name, s, v in zip(names, history.strength[cells], history.visits[cells], strict=True)
    }


def test_a_cardholder_is_led_to_the_merchant_his_like_visit(tmp_path: Path) -> None:
    usage = [t for t in checkerboard_usage() if t["occurred_at"].timetuple().tm_yday <= 90]
    bundle = published(a_world(tmp_path, usage))

    for i in (0, 1, 7, 12):
        scores = scores_of(bundle, f"ch_{i}")
        unknown = [f"merchant:m_{j}" for j in range(10) if j % 2 != i % 2]
        assert scores[f"merchant:m_{(i + 2) % 10}"] > max(scores[m] for m in unknown)


def test_a_refund_takes_its_purchase_away(tmp_path: Path) -> None:
    usage = [
        *checkerboard_usage(),
        a_transaction("ch_refunded", "m_0", 99),
        a_transaction("ch_refunded", "m_2", 99),
        a_transaction("ch_refunded", "m_2", 99, status="returned"),
        a_transaction("ch_nothing", "m_2", 99),
        a_transaction("ch_nothing", "m_2", 99, status="reversed"),
        a_transaction("ch_declined", "m_2", 99, status="declined"),
    ]
    bundle = published(a_world(tmp_path, usage))

    assert history_of(bundle, "ch_refunded") == {"merchant:m_0": (1.0, 1)}
    assert bundle.model.cardholders.row("ch_nothing") is None
    assert bundle.model.cardholders.row("ch_declined") is None


def test_a_commuters_taps_count_no_more_a_day_than_the_cap(tmp_path: Path) -> None:
    taps = [a_transaction("ch_commuter", "m_metro", 99, mcc="4111") for _ in range(40)]
    bundle = published(a_world(tmp_path, [*checkerboard_usage(), *taps]))

    assert history_of(bundle, "ch_commuter") == {
        "merchant:m_metro": (2.0, 40),
        "category:4111": (2.0, 40),
    }


def test_an_answered_offer_gets_a_column_and_an_unknown_item_is_left_out(tmp_path: Path) -> None:
    world = a_world(
        tmp_path,
        catalog=[an_offer("offer_7")],
        events=[
            an_event(1, "ch_0", "offer_7", 99, type="redeemed"),
            an_event(1, "ch_0", "offer_7", 99, type="redeemed"),
            an_event(2, "ch_2", "offer_7", 99, type="served"),
            an_event(3, "ch_0", "offer_gone", 99),
        ],
    )
    bundle = published(world, "--events", str(world.events))

    assert history_of(bundle, "ch_0")["offer:offer_7"] == (2.0, 1)
    assert "offer:offer_7" not in history_of(bundle, "ch_2")
    assert bundle.model.columns.row("offer:offer_gone") is None
    assert bundle.manifest.events_through is None


def test_a_cold_offer_at_a_known_merchant_has_a_vector_at_once(tmp_path: Path) -> None:
    world = a_world(tmp_path, catalog=[an_offer("offer_cold", merchant_id="m_4")])
    bundle = published(world)

    item = bundle.model.catalog.get("offer_cold")
    assert item is not None
    composed = bundle.composer().compose(item)
    assert composed.own_row is None
    assert composed.merchant_rows == (bundle.model.columns.row("merchant:m_4"),)
    assert np.linalg.norm(composed.vector) > 0


def test_stored_vectors_are_the_fold_in_of_stored_histories(tmp_path: Path) -> None:
    bundle = published(a_world(tmp_path))
    factors, history = bundle.model.factors, bundle.model.history

    for row in range(len(bundle.model.cardholders)):
        cells = history.cells(row)
        folded = factors.fold_in(history.rows[cells], history.strength[cells])
        np.testing.assert_allclose(folded, factors.cardholders[row], atol=1e-5)


def test_one_thread_and_two_make_the_same_factors(tmp_path: Path) -> None:
    world = a_world(tmp_path)

    hashes = {published(world, "--threads", n).manifest.factor_hash for n in ("1", "2")}

    assert len(hashes) == 1
    assert published(world, "--seed", "5").manifest.factor_hash not in hashes


def test_an_archived_transaction_counts_once(tmp_path: Path) -> None:
    seen = a_transaction("ch_0", "m_3", 99, transaction_id="t_1", mcc="5411")
    paid = {"merchant_id": "m_3", "mcc": "5411", "status": "settled", "city": None}
    amount = {"amount_minor": 900, "currency": "CNY"}
    events = [
        {
            **an_event(n, "ch_0", "", 99, type="transaction"),
            "transaction": {**paid, "transaction_id": f"t_{n}", "amount": amount},
        }
        for n in (1, 2)
    ]
    world = a_world(tmp_path, [*checkerboard_usage(), seen], events=events)

    bundle = published(world, "--events", str(world.events))

    assert history_of(bundle, "ch_0")["merchant:m_3"] == (2.0, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--usage", "nowhere.parquet"], "nowhere.parquet: there is no such file"),
        (["--catalog", "nowhere.ndjson"], "nowhere.ndjson: cannot be read"),
        (["--config", "nowhere.toml"], "nowhere.toml: not readable as TOML"),
        (["--issuer", "../etc"], "issuer_id: must match"),
        (["--signing-key", "nowhere.pem"], "nowhere.pem: no readable PEM private key"),
        (["--usage", "one.csv", "--usage", "./one.csv"], "one.csv is given 2 times"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, arguments: list[str], said: str) -> None:
    world = a_world(tmp_path)

    with pytest.raises(BadInputError) as error:
        CliRunner().invoke(group, ["run", *world.arguments(), *arguments], catch_exceptions=False)
    assert said in str(error.value)
    assert not (tmp_path / "shelf" / "demo" / "versions").exists()


def test_the_answer_as_json_names_the_version(tmp_path: Path) -> None:
    result = train(a_world(tmp_path))

    assert (
        json.loads(result.stdout)["version"] == Shelf(tmp_path / "shelf", "demo").current_version()
    )


def test_an_erased_cardholder_is_in_no_later_bundle(tmp_path: Path) -> None:
    world, key = a_world(tmp_path, events=[an_event(1, "ch_5", "offer_1", 99)]), b"k" * 16
    place = tmp_path / "shelf" / "demo"
    place.mkdir(parents=True)
    ErasedList("demo", key, frozenset({erased_hash(key, "ch_5")})).write(place / FILE_NAME)

    bundle = published(world, "--events", str(world.events))

    assert bundle.model.cardholders.row("ch_5") is None
    assert len(bundle.model.cardholders) == 59
    row = bundle.model.columns.row("merchant:m_1")
    assert row is not None
    assert bundle.model.column_cardholders[row] == 29


def test_an_erasure_list_of_another_issuer_stops_the_run(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    ErasedList("other", b"k", frozenset()).write(tmp_path / "other.json")

    with pytest.raises(BadInputError, match="another issuer"):
        train(world, "--erased", str(tmp_path / "other.json"))
