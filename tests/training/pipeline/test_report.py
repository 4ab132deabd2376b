"""The report of a run: of the very model that was published, though drawn while it was learned."""

from pathlib import Path

import orjson
from click.testing import CliRunner

from embeddings.bundle import Bundle
from embeddings.shelf import Shelf
from tests.bundles import an_offer
from tests.training.worlds import a_world, an_event
from training.cli import group
from training.report.examples import examples, surroundings_of

SMALL = "[gate]\nmin_interactions = 10\nmin_cardholders = 2\n[model]\nn_factors = 8\n"
N_OFFERS = 20


def published(folder: Path) -> Bundle:
    """A run in which everyone answers offers: even cardholders those of even numbers."""
    catalog = [an_offer(f"o_{n:02}", title={"en": f"Offer {n}"}) for n in range(N_OFFERS)]
    events = [
        an_event(
            i * N_OFFERS + n,
            f"ch_{i}",
            f"o_{n:02}",
            n,
            type="activated" if (i + n) % 2 == 0 and n % 4 else "viewed",
        )
        for i in range(60)
        for n in range(N_OFFERS)
    ]
    world = a_world(folder, catalog=catalog, events=events)
    (folder / "small.toml").write_text(SMALL, "utf-8")
    given = ["--events", str(world.events), "--config", str(folder / "small.toml"), "--json"]
    result = CliRunner().invoke(group, ["run", *world.arguments(), *given], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    bundle = Shelf(folder / "shelf", "demo").current()
    assert bundle is not None
    return bundle


def test_a_catalogue_without_an_item_is_published_with_a_warning_in_every_place(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path, catalog=[])
    (tmp_path / "small.toml").write_text(SMALL, "utf-8")
    asked = ["run", *world.arguments(), "--config", str(tmp_path / "small.toml")]
    told = CliRunner().invoke(group, asked, catch_exceptions=False)
    document = orjson.loads(CliRunner().invoke(group, [*asked, "--json"]).stdout)
    shelf = ["report", "--shelf", str(tmp_path / "shelf"), "--issuer", "demo"]
    later = CliRunner().invoke(group, shelf, catch_exceptions=False)

    (warning,) = document["warnings"]
    assert (told.exit_code, document["serving"]) == (0, True)
    assert "holds no benefit and no offer" in warning
    assert f"warning: {warning}" in told.stdout.splitlines()
    assert f"warning: {warning}" in later.stdout.splitlines()
    assert "holds no benefit and no offer" in Path(document["report"]).read_text("utf-8")


def test_the_report_tells_of_the_model_that_was_published_with_what_responses_taught(
    tmp_path: Path,
) -> None:
    bundle = published(tmp_path)
    report = orjson.loads((bundle.folder / "report.json").read_bytes())
    assert report["warnings"] == []
    page = (bundle.folder / "report.html").read_text("utf-8")

    assert bundle.model.appeal is not None
    assert report["knowledge"] == {
        **surroundings_of(bundle.model),
        "cardholders": examples(bundle.model),
    }
    assert len(report["knowledge"]["map"]) == 10
    assert page.count("<svg") == 4
    names = [stage["name"] for stage in report["stages"]]
    assert names[-3:] == ["assemble", "read responses", "learn from responses"]
