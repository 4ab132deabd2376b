"""The pages on mapping files and on data say what the code does, no less and no more."""

import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import BaseModel

from embeddings.arrays import ARRAYS, OPTIONAL_ARRAYS, ArraySpec
from embeddings.catalog import Benefit, MerchantOffer
from embeddings.catalog.item import ItemBase
from embeddings.catalog.reward import REQUIRED as REWARD_NEEDS
from embeddings.catalog.reward import BenefitType, Reward
from embeddings.catalog.terms import Budget, Channel, Terms
from embeddings.interactions import EventType
from recsvc.api.cardholders import CardholderLine
from training.cli.import_usage import command
from training.mapping import ImportJob, load_mapping
from training.mapping.lookups import MAX_ROWS
from training.mapping.reasons import REASONS
from training.mapping.sections import settings
from training.mapping.spec import Checks, Column, Duplicates, Source
from training.matrix.events import NEEDED
from training.usage import OPTIONAL, REQUIRED, arrow_schema
from training.usage.schema import STATUSES

DOCS = Path(__file__).parents[2] / "docs"
ROOT = DOCS.parent


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def tables(text: str) -> dict[str, list[list[str]]]:
    """First heading cell → rows of the table, without backticks around a whole first cell."""
    found: dict[str, list[list[str]]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [
            [cell.strip() for cell in line.strip("|\n").split(" |")] for line in block.split("\n")
        ]
        rows = [row for row in rows if any(row)]
        found.setdefault(rows[0][0], []).extend([row[0].strip("`"), *row[1:]] for row in rows[2:])
    return found


def section(name: str, title: str) -> dict[str, list[list[str]]]:
    """Tables of one section, up to the next heading."""
    after = page(name).split(f"# {title}\n", 1)[1]
    return tables(re.split(r"^#+ ", after, maxsplit=1, flags=re.M)[0])


def names(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def test_the_page_lists_every_section_of_a_mapping() -> None:
    assert names(section("mapping.md", "Sections")["section"]) == list(settings.SECTIONS)


def test_the_page_lists_every_setting_of_the_source_with_its_default() -> None:
    rows = section("mapping.md", "source")["setting"]
    fresh = Source(format="csv", files=("*",))
    stated = {row[0]: row[2].strip("`").strip("\"'") for row in rows}

    assert list(stated) == list(settings.SOURCE)
    for name in ("encoding", "delimiter", "timezone", "skip_lines", "max_rows"):
        assert stated[name] == str(getattr(fresh, name)), name
    assert (stated["quote"], fresh.quote) == ("", '"') or fresh.quote in rows[5][2]


def test_the_page_lists_every_column_and_every_setting_of_one() -> None:
    found = section("mapping.md", "columns")
    fresh = Column(columns=("a",))
    stated = {row[0]: row for row in found["setting of a column"]}

    assert set(names(found["our column"])) == set(settings.TARGETS)
    assert list(stated) == list(settings.COLUMN)
    assert stated["separator"][2] == f'`"{fresh.separator}"`'
    for name, choices in settings.CHOICES.items():
        assert all(f'`"{choice}"`' in stated[name][1] for choice in choices), name
    for name in settings.ONLY_FOR:
        assert stated[name][1].startswith("only"), name


def test_the_page_lists_every_setting_of_the_smaller_sections_with_its_default() -> None:
    rows = section("mapping.md", "The other sections")["setting"]
    stated = {row[0]: row[2].strip("`") for row in rows}
    known = {
        f"{name}.{setting}"
        for name in ("merchants", "lookup", "duplicates", "checks")
        for setting in getattr(settings, name.upper())
    }
    checks = Checks(earliest_at=datetime(1990, 1, 1, tzinfo=UTC))

    assert set(stated) == known
    assert stated["checks.max_rejected_share"] == str(checks.max_rejected_share)
    assert stated["duplicates.across_files"] == str(Duplicates().across_files).lower()
    assert stated["duplicates.within_file"] == str(Duplicates().within_file).lower()
    assert f"{MAX_ROWS:,}" in page("mapping.md")


def test_the_page_gives_every_reason_with_the_meaning_that_the_command_tells() -> None:
    rows = section("mapping.md", "What becomes of a row")["reason"]

    assert {row[0]: row[1] for row in rows} == {n: r.meaning for n, r in REASONS.items()}


def test_every_reason_that_the_code_gives_has_a_meaning_and_a_remedy() -> None:
    sources = [ROOT / "training" / "mapping" / f"{n}.py" for n in ("rows", "amounts", "instants")]
    literals = re.compile(r'(?:lit\(|, )"([a-z]+(?:_[a-z]+)+)"\)')
    given = {word for path in sources for word in literals.findall(path.read_text())}

    assert {word for word in given if word in REASONS} >= set(REASONS) - {
        "wrong_number_of_fields",
        "duplicate_row",
    }


def test_the_page_lists_every_option_of_the_command() -> None:
    rows = section("mapping.md", "Commands")["option of `import`"]
    options = {option for parameter in command.params for option in parameter.opts}

    assert set(names(rows)) == options


def test_the_first_mapping_of_the_page_runs_on_a_file_like_the_one_it_shows(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", page("mapping.md"), re.S)
    shown = re.search(r"\$ head -n 2 (raw/\S+)\n(.*?)```", page("mapping.md"), re.S)
    assert example
    assert shown
    header, row = (line.strip() for line in shown[2].strip().splitlines())
    source = tmp_path / shown[1]
    source.parent.mkdir()
    zero = row.replace("-31.68", "0.00")
    source.write_text("\n".join([header, row, row.replace("-31.68", "9.50"), zero]))
    mapping = tmp_path / "bank.toml"
    mapping.write_text("\n".join(line.strip() for line in example[1].splitlines()))
    job = ImportJob(
        mapping=load_mapping(mapping),
        mapping_path=mapping,
        out=tmp_path / "usage.parquet",
        quarantine=tmp_path / "usage.parquet.quarantine.ndjson",
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(Exception, match="amount_zero"):
        job.run()
    mapping.write_text(f"{mapping.read_text()}\n[checks]\nmax_rejected_share = 0.5\n")
    report = ImportJob(
        mapping=load_mapping(mapping),
        mapping_path=mapping,
        out=job.out,
        quarantine=job.quarantine,
        now=job.now,
    ).run()

    assert (report.rows_read, report.rows_accepted, report.refunds) == (3, 2, 1)
    assert pl.read_parquet(job.out)["occurred_at"][0] == datetime(2014, 3, 12, 12, tzinfo=UTC)


def test_the_page_of_data_lists_the_columns_of_card_usage() -> None:
    rows = section("data.md", "Card usage")["column"]
    types = {"string": "text", "int64": "int64", "timestamp[us, tz=UTC]": "timestamp (µs, UTC)"}
    schema = {field.name: types[str(field.type)] for field in arrow_schema()}

    assert {row[0]: row[1] for row in rows} == schema
    assert {row[0] for row in rows if row[2] == "yes"} == set(REQUIRED)
    assert {row[0] for row in rows if row[2] == "no"} == set(OPTIONAL)
    assert all(status in page("data.md") for status in STATUSES)


def shared(model: type[BaseModel]) -> dict[str, bool]:
    return {name: field.is_required() for name, field in model.model_fields.items()}


def own(model: type[BaseModel]) -> dict[str, bool]:
    return {n: r for n, r in shared(model).items() if n not in shared(ItemBase) and n != "kind"}


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("Every item", {**shared(ItemBase), "kind": True}),
        ("Only a benefit", own(Benefit)),
        ("Only a merchant offer", own(MerchantOffer)),
        ("Reward", shared(Reward)),
        ("Terms", shared(Terms)),
        ("Budget", shared(Budget)),
        ("Cardholders", shared(CardholderLine)),
    ],
)
def test_the_page_of_data_lists_the_fields_of_each_document(
    title: str, fields: dict[str, bool]
) -> None:
    rows = section("data.md", title)["field"]

    assert {row[0]: row[2] == "yes" for row in rows} == fields


def test_the_page_of_data_says_what_each_reward_needs() -> None:
    rows = section("data.md", "Reward")["reward type"]
    stated = {row[0]: tuple(re.findall(r"`(\w+)`", row[1])) for row in rows}

    assert stated == {kind.value: needed for kind, needed in REWARD_NEEDS.items()}


def test_the_page_of_data_names_every_value_of_the_closed_lists() -> None:
    for title, column, row_name, values in (
        ("Only a benefit", "field", "benefit_type", BenefitType),
        ("Terms", "field", "channels", Channel),
        ("Events", "column", "type", EventType),
    ):
        row = next(r for r in section("data.md", title)[column] if r[0] == row_name)
        assert row[3].split(", ") == [value.value for value in values], title


def test_the_page_of_data_lists_the_columns_of_events() -> None:
    rows = section("data.md", "Events")["column"]

    assert {row[0] for row in rows if row[2] == "yes"} == set(NEEDED)
    assert {row[0] for row in rows if row[2] == "no"} == {"item_id", "transaction"}


@pytest.mark.parametrize(
    ("heading", "promised"), [("array", ARRAYS), ("array that may lack", OPTIONAL_ARRAYS)]
)
def test_the_page_of_data_lists_every_array_of_a_bundle(
    heading: str, promised: dict[str, ArraySpec]
) -> None:
    rows = section("data.md", "Bundle")[heading]

    assert [(row[0], row[1], tuple(row[2].split(" × "))) for row in rows] == [
        (name, spec.dtype, spec.shape) for name, spec in promised.items()
    ]
