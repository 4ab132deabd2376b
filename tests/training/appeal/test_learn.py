"""The fit on worlds in which it is known what moves whom."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from embeddings.catalog import parse_item
from embeddings.compose import Composition
from embeddings.model import Model
from tests.bundles import a_catalog, an_offer, checkerboard
from training.appeal import AppealRule, Impressions, learn, read_impressions
from training.appeal.evidence import evidence_of, usage_vectors
from training.appeal.learn import best_of
from training.appeal.loss import Loss, Parameters
from training.appeal.priors import Priors

LITTLE = AppealRule(
    min_impressions=10,
    min_taken_up=2,
    priors=Priors(maps=1.0, corrections=10.0, biases=8.0, types=25.0, traits=1.0),
)


def seen_by_all(model: Model, chance_of: np.ndarray, seed: int = 0, times: int = 1) -> Impressions:
    """Everyone sees every item but the last ``times`` times over; clicks are as activations."""
    rng = np.random.default_rng(seed)
    n_items = len(model.catalog) - 1
    who, what = np.divmod(np.arange(len(model.cardholders) * n_items), n_items)
    who, what = np.tile(who, times), np.tile(what, times)
    taken = rng.random(who.size) < chance_of[who, what]
    return Impressions(who, what, taken | (rng.random(who.size) < 0.2), taken)


def colours(model: Model) -> np.ndarray:
    """0 for even cardholders, 1 for odd ones."""
    return np.array([int(name.removeprefix("ch_")) % 2 for name in model.cardholders])


def own_colour_likes(model: Model) -> np.ndarray:
    """Probability 0.8 where cardholder and merchant have one colour, 0.1 elsewhere."""
    item_colour = np.array([int(i.merchants()[0][2:]) % 2 for i in model.catalog.items])
    return np.asarray(np.where(colours(model)[:, None] == item_colour, 0.8, 0.1))


def scores(model: Model) -> np.ndarray:
    """Scores of all cardholders and items, as served."""
    composer = model.composer(Composition())
    composed = [composer.compose(item) for item in model.catalog.items]
    pulls = np.array([one.pull for one in composed])
    biases = np.array([one.bias for one in composed])
    return np.asarray(model.factors.cardholders @ pulls.T + biases)


def test_an_item_never_shown_is_scored_by_what_was_learned_at_others_of_its_kind() -> None:
    model = checkerboard()
    appeal = learn(model, seen_by_all(model, own_colour_likes(model)), LITTLE)
    found = scores(replace(model, appeal=appeal))
    likes = own_colour_likes(model)

    assert appeal is not None
    assert not appeal.biases[-1]
    assert found[:, -1][likes[:, -1] == 0.8].min() > found[:, -1][likes[:, -1] == 0.1].max()


def test_usage_that_misleads_is_turned_round_by_responses() -> None:
    model = checkerboard()
    other_colour_likes = 0.9 - own_colour_likes(model)
    plain = scores(model)
    learned = scores(
        replace(model, appeal=learn(model, seen_by_all(model, other_colour_likes), LITTLE))
    )

    def gap(found: np.ndarray) -> float:
        return float(
            found[other_colour_likes > 0.5].mean() - found[other_colour_likes < 0.5].mean()
        )

    assert gap(plain) < 0 < gap(learned)


def test_what_everyone_likes_comes_first_though_nobody_shops_there_more() -> None:
    model = checkerboard()
    chance = np.full((len(model.cardholders), len(model.catalog)), 0.1)
    chance[:, 2] = 0.7
    appeal = learn(model, seen_by_all(model, chance), LITTLE)

    assert appeal is not None
    assert int(np.argmax(appeal.biases)) == 2
    assert (np.argmax(scores(replace(model, appeal=appeal)), axis=1) == 2).mean() > 0.9


def test_a_click_never_tells_more_than_a_take_up() -> None:
    model = checkerboard()
    likes = own_colour_likes(model)
    seen = seen_by_all(model, 0.2 + 0.2 * likes)
    sure = replace(seen, looked_into=likes[seen.cardholders, seen.items] > 0.5)
    found = best_of(Loss(evidence_of(model, sure, 1), Priors()), iterations=200)

    assert found.click[1] == 1.0


def test_a_type_of_reward_that_moves_people_lends_its_strength_to_a_new_offer() -> None:
    coupon = {"type": "coupon", "value": {"amount_minor": 500, "currency": "CNY"}}
    double = {"type": "points_multiplier", "multiplier_bps": 20_000}
    items = [
        an_offer(f"o_{n}", reward=(coupon, double)[n % 2], merchant_id="m_0") for n in range(8)
    ]
    model = replace(checkerboard(), catalog=a_catalog(*items))
    chance = np.tile([0.6, 0.1], 4)[None].repeat(len(model.cardholders), axis=0)
    learned = replace(model, appeal=learn(model, seen_by_all(model, chance), LITTLE))
    composer = learned.composer(Composition())
    new_coupon, new_points = (
        composer.compose(parse_item(an_offer("new", reward=reward, merchant_id="m_0"))).bias
        for reward in (coupon, double)
    )

    assert new_coupon > new_points + 0.1


def test_scores_lie_about_a_half() -> None:
    model = checkerboard()
    found = scores(
        replace(model, appeal=learn(model, seen_by_all(model, own_colour_likes(model)), LITTLE))
    )

    assert found.mean() == pytest.approx(0.5, abs=0.1)
    assert 0.1 < found.std() < 0.4


def test_the_fit_is_the_same_again() -> None:
    model = checkerboard()
    seen = seen_by_all(model, own_colour_likes(model))
    one, other = (learn(model, seen, LITTLE, n_threads) for n_threads in (1, 2))

    assert one is not None
    assert other is not None
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name])


def test_too_few_responses_teach_nothing() -> None:
    model = checkerboard()
    seen = seen_by_all(model, own_colour_likes(model))

    assert learn(model, seen, replace(LITTLE, min_impressions=len(seen) + 1)) is None
    assert learn(model, seen, replace(LITTLE, min_taken_up=len(seen))) is None


def test_too_many_impressions_are_thinned_by_whole_cardholders() -> None:
    model = checkerboard()
    seen = seen_by_all(model, own_colour_likes(model))
    thin = replace(LITTLE, max_impressions=23)
    some = seen.where(seen.cardholders < seen.cardholders[23])

    one, other = learn(model, seen, thin), learn(model, some, LITTLE)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.maps, other.maps)


def test_one_thread_and_four_learn_the_same_bits() -> None:
    model = checkerboard()
    seen = seen_by_all(model, own_colour_likes(model), times=2)
    one, four = (learn(model, seen, LITTLE, n_threads=n) for n in (1, 4))

    assert one is not None
    assert four is not None
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, four.arrays()[name], name)


def test_the_gradient_is_that_of_the_loss() -> None:
    model = checkerboard()
    evidence = evidence_of(model, seen_by_all(model, own_colour_likes(model)), 1)
    loss = Loss(evidence, Priors())
    rng = np.random.default_rng(5)
    at = loss.start().flat()
    at = at + 0.3 * rng.standard_normal(at.size)
    shown = Parameters.of(at, loss.shape)
    shown.biases[-1] = 0.0  # nobody has seen the last item; its bias is no parameter

    for _ in range(5):
        way = rng.standard_normal(at.size)
        Parameters.of(way, loss.shape).biases[-1] = 0.0
        slope = (loss(at + 1e-5 * way)[0] - loss(at - 1e-5 * way)[0]) / 2e-5

        assert slope == pytest.approx(float(loss(at)[1] @ way), rel=1e-4, abs=1e-3)


def test_a_taste_that_knows_the_answer_already_is_not_learned_from() -> None:
    model = checkerboard()
    offers = a_catalog(*(an_offer(f"m_{m}", merchant_id=f"m_{m}") for m in range(6)))
    columns = model.columns
    assert all(not name.startswith("offer:") for name in columns)
    everyone = np.arange(len(model.cardholders))
    plain = usage_vectors(replace(model, catalog=offers), everyone, 1)
    some = usage_vectors(model, everyone[1::3], 1)

    np.testing.assert_allclose(plain, model.factors.cardholders, atol=1e-5)
    np.testing.assert_allclose(some, plain[1::3], atol=1e-6)


EVENTS = [
    ("e1", "served", "ch_0", "offer_0", 5),
    ("e2", "viewed", "ch_0", "offer_0", 6),
    ("e3", "activated", "ch_0", "offer_0", 9),
    ("e4", "served", "ch_0", "offer_1", 5),
    ("e5", "dismissed", "ch_1", "offer_1", 7),
    ("e6", "clicked", "ch_2", "offer_1", 7),
    ("e7", "viewed", "ch_2", "gone", 7),
    ("e8", "viewed", "stranger", "offer_1", 7),
    ("e9", "transaction", "ch_3", None, 7),
]


def log(*, without: str = "") -> pl.DataFrame:
    rows = [row for row in EVENTS if row[1] != without]
    names = ["event_id", "type", "cardholder_id", "item_id", "day"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    at = pl.from_epoch(pl.col("day") * 86_400, time_unit="s").dt.replace_time_zone("UTC")
    return table.with_columns(at.dt.cast_time_unit("us").alias("occurred_at")).drop("day")


def pairs(path: Path, model: Model) -> list[tuple[str, str, bool, bool]]:
    """Impressions by name."""
    seen = read_impressions(path, model.cardholders, model.catalog, max_cardholders=100)
    names = [i.item_id for i in model.catalog.items]
    found = [
        (model.cardholders.id(int(who)), names[what], bool(looked), bool(taken))
        for who, what, looked, taken in zip(
            seen.cardholders, seen.items, seen.looked_into, seen.taken_up, strict=True
        )
    ]
    return sorted(found)


@pytest.mark.parametrize("suffix", ["parquet", "ndjson"])
def test_what_was_served_and_never_viewed_tells_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events.{suffix}"
    if suffix == "parquet":
        log().write_parquet(path)
    else:
        instants = pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        log().with_columns(instants).write_ndjson(path)

    assert pairs(tmp_path, checkerboard()) == [
        ("ch_0", "offer_0", True, True),
        ("ch_1", "offer_1", False, False),
        ("ch_2", "offer_1", True, False),
    ]


def test_where_nothing_but_serving_is_reported_serving_counts(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    log().filter(pl.col("type") == "served").write_parquet(path)

    assert pairs(path, checkerboard()) == [
        ("ch_0", "offer_0", False, False),
        ("ch_0", "offer_1", False, False),
    ]


def test_many_batches_tell_what_one_table_would(tmp_path: Path) -> None:
    model, rng = checkerboard(), np.random.default_rng(4)
    who = [*(f"ch_{n}" for n in range(12)), "stranger"]
    what = [*(f"offer_{n}" for n in range(6)), "gone", None]
    types = ["served", "viewed", "clicked", "activated", "dismissed"]
    drawn = [rng.choice(np.array(words, object), 250_000) for words in (types, who, what)]
    table = pl.DataFrame(dict(zip(("type", "cardholder_id", "item_id"), drawn, strict=True)))
    table = table.filter(pl.col("type").ne("activated") | (pl.int_range(pl.len()) > 249_900))
    rows = table.with_row_index("event_id").with_columns(pl.col("event_id").cast(pl.String))
    day = pl.lit(0).cast(pl.Datetime("us", "UTC")).alias("occurred_at")
    rows.with_columns(day).write_parquet(tmp_path / "events.parquet", row_group_size=70_000)

    known = table.filter(
        pl.col("cardholder_id").is_in(list(model.cardholders)),
        pl.col("item_id").is_in([item.item_id for item in model.catalog.items]),
        pl.col("type") != "served",
    )
    told = known.group_by("cardholder_id", "item_id").agg(
        pl.col("type").is_in(["clicked", "activated"]).any().alias("looked"),
        (pl.col("type") == "activated").any(),
    )
    assert pairs(tmp_path, model) == sorted(told.rows())
    assert 0 < told["type"].sum() < told.height


def test_events_without_items_tell_nothing(tmp_path: Path) -> None:
    log().drop("item_id").write_parquet(tmp_path / "events.parquet")

    assert pairs(tmp_path, checkerboard()) == []
