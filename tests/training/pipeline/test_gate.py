"""What the gate does to a whole run."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from embeddings.shelf import Shelf
from tests.training.worlds import OPENS_AT, World, a_transaction, a_world, checkerboard_usage
from training.cli import group
from training.errors import BadInputError

SMALL = "[gate]\nmin_interactions = 10\nmin_cardholders = 2\n[model]\nn_factors = {factors}\n"


def train(world: World, *more: str, factors: int = 8) -> Result:
    """Call the command as a user does."""
    config = world.folder / "small.toml"
    config.write_text(SMALL.format(factors=factors), "utf-8")
    given = [*world.arguments(), "--config", str(config), "--json", *more]
    return CliRunner().invoke(group, ["run", *given], catch_exceptions=False)


def shelf_of(world: World) -> Shelf:
    """The world's shelf."""
    return Shelf(world.folder / "shelf", "demo")


def codes(result: Result) -> list[str]:
    """Codes of the gate's reasons."""
    return [reason["code"] for reason in json.loads(result.stdout)["reasons"]]


def test_too_little_usage_is_refused_with_a_report_and_an_untouched_shelf(tmp_path: Path) -> None:
    world = a_world(tmp_path)

    result = CliRunner().invoke(group, ["run", *world.arguments(), "--json"])

    assert result.exit_code == 3
    assert codes(result)[0] == "too_few_interactions"
    assert not (tmp_path / "shelf" / "demo" / "versions").exists()
    report = Path(json.loads(result.stdout)["report"])
    assert report.parent.parent.parent == tmp_path / "shelf-reports"
    assert "was refused" in report.read_text("utf-8")


def test_a_single_purchase_is_refused_with_every_reason_and_a_page(tmp_path: Path) -> None:
    world = a_world(tmp_path, [a_transaction("ch_0", "m_0")])

    result = CliRunner().invoke(group, ["run", *world.arguments(), "--json"])

    assert result.exit_code == 3
    assert {"too_few_interactions", "too_few_cardholders", "nothing_to_judge"} <= {*codes(result)}
    assert "was refused" in Path(json.loads(result.stdout)["report"]).read_text("utf-8")


def test_where_only_the_shelf_can_be_written_the_reasons_are_told_all_the_same(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path)
    (tmp_path / "shelf-reports").touch()

    result = CliRunner().invoke(group, ["run", *world.arguments(), "--json"])
    page = Path(json.loads(result.stdout)["report"])

    assert result.exit_code == 3
    assert codes(result)[0] == "too_few_interactions"
    assert "was refused" in page.read_text("utf-8")
    shutil.rmtree(page.parent)


def test_a_shelf_where_nothing_can_be_written_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path)
    (tmp_path / "shelf").write_text("a file", "utf-8")

    result = CliRunner().invoke(group, ["run", *world.arguments()])

    assert isinstance(result.exception, BadInputError)
    assert f"--shelf: {tmp_path / 'shelf'} is no folder" in str(result.exception)
    assert "check input" not in result.output


def test_a_report_folder_may_be_chosen(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    arguments = [*world.arguments(), "--report-dir", str(tmp_path / "why")]

    result = CliRunner().invoke(group, ["run", *arguments])

    assert result.exit_code == 3
    assert "refused by the gate" in result.stdout
    document = json.loads((tmp_path / "why" / "report.json").read_text("utf-8"))
    assert document["gate"]["reasons"][0]["code"] == "too_few_interactions"


def test_a_forced_publication_says_so_in_its_manifest(tmp_path: Path) -> None:
    world = a_world(tmp_path)

    result = CliRunner().invoke(group, ["run", *world.arguments(), "--json", "--force"])

    assert result.exit_code == 0
    bundle = shelf_of(world).current()
    assert bundle is not None
    gate = bundle.manifest.figures["gate"]
    assert gate["forced"]
    assert gate["reasons"][0]["code"] == "too_few_interactions"


def test_f12_another_dimension_is_refused_until_forced(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    first = json.loads(train(world).stdout)["version"]

    refused = train(world, factors=4)
    forced = train(world, "--force", factors=4)

    assert refused.exit_code == 3
    assert codes(refused) == ["dimension_changed"]
    assert forced.exit_code == 0
    assert shelf_of(world).versions()[0] == first
    assert shelf_of(world).current_version() == json.loads(forced.stdout)["version"]


def test_f12_a_part_of_the_data_is_refused_after_the_whole(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    train(world)
    part = [t for t in checkerboard_usage() if int(t["cardholder_id"][3:]) < 25]

    refused = train(a_world(tmp_path, part))

    assert refused.exit_code == 3
    assert {"volume_drifted", "fewer_ids"} <= set(codes(refused))


def test_f61_a_card_with_a_flood_of_purchases_is_stopped(tmp_path: Path) -> None:
    flood = [
        a_transaction(
            "ch_bot", f"m_{j}", day, occurred_at=OPENS_AT + timedelta(days=day, minutes=n)
        )
        for day in range(100)
        for j in range(10)
        for n in range(3)
    ]

    refused = train(a_world(tmp_path, [*checkerboard_usage(), *flood]))

    assert refused.exit_code == 3
    assert "cardholder_dominates" in codes(refused)


def test_the_bundle_in_use_is_judged_by_its_own_vectors_when_it_ends_before_the_split(
    tmp_path: Path,
) -> None:
    early = [t for t in checkerboard_usage() if t["occurred_at"] < OPENS_AT + timedelta(days=80)]
    train(a_world(tmp_path, early))

    later = json.loads(train(a_world(tmp_path)).stdout)

    models = later["evaluation"]["new"]
    assert models["current"]["cardholders"] == models["product"]["cardholders"] > 0
    assert models["current"]["ndcg"] > models["most_popular"]["ndcg"]


def test_a_pinned_shelf_takes_the_bundle_and_keeps_serving_the_other(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    first = json.loads(train(world).stdout)["version"]
    shelf_of(world).pin()

    second = json.loads(train(world).stdout)

    assert not second["serving"]
    assert shelf_of(world).current_version() == first
    assert shelf_of(world).versions() == [first, second["version"]]


def test_a_signed_bundle_opens_for_those_who_trust_the_key(tmp_path: Path) -> None:
    world, key = a_world(tmp_path), Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(pem)

    version = json.loads(train(world, "--signing-key", str(tmp_path / "key.pem")).stdout)["version"]

    trusting = Shelf(tmp_path / "shelf", "demo", trusted=[key.public_key()])
    assert trusting.open(version).version == version


def test_the_report_of_a_published_bundle_can_be_read_again(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    version = json.loads(train(world).stdout)["version"]
    where = ["--shelf", str(tmp_path / "shelf"), "--issuer", "demo"]

    told = CliRunner().invoke(group, ["report", *where], catch_exceptions=False)
    document = json.loads(CliRunner().invoke(group, ["report", *where, "--json"]).stdout)

    assert "gate: passed" in told.stdout
    assert document["counts"]["cardholders"] == 60
    assert set(document["evaluation"]["tasks"]) == {"new", "repeat", "all"}
    assert len(document["knowledge"]["cardholders"]) == 3
    page = (tmp_path / "shelf" / "demo" / "versions" / version / "report.html").read_text("utf-8")
    assert page.count("<svg") >= 3
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/", "").replace("http-equiv", "")
    assert "ch_" not in page
