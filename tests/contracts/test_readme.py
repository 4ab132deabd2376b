"""The README speaks of what is there: its settings, commands, addresses and links."""

import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import orjson
import pytest

from recsvc.cli import group as service_commands
from recsvc.cli.check_config import markdown_table
from tests.service import Service
from training.cli import group as training_commands

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GROUPS = {"recsvc": service_commands, "recsvc-train": training_commands}


def shell_lines(path: Path) -> list[str]:
    """Every command of the sh blocks; continued and quoted lines joined, comments left out."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(), re.S)
    found, open_line = [], ""
    for line in re.sub(r"\\\n\s*", " ", "\n".join(blocks)).splitlines():
        open_line += line
        if not is_open(open_line):
            found.append(open_line)
            open_line = ""
    return [line.removeprefix("$ ") for line in found if line.strip() and line[:1] != "#"]


def is_open(line: str) -> bool:
    """Whether a quotation goes on in the next line."""
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return True
    return False


def words_of(line: str) -> list[str]:
    """Words of a command line before a pipe, without assignments in front."""
    words = shlex.split(line, comments=True)
    words = words[: words.index("|")] if "|" in words else words
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words


GNU_ALONE = r"\bdate\b[^;|)]* (-d|-I|--date)|\bdate \S*%N|\bsed -i|\bgrep -P"
OURS = [
    pytest.param(words_of(line), id=f"{path.name}:{line[:60]}")
    for path in DOCUMENTS
    for line in shell_lines(path)
    if Path((words_of(line) or [""])[0]).name in GROUPS
]
ADDRESSES = [
    pytest.param(line, id=f"{path.name}:{line[-60:]}")
    for path in DOCUMENTS
    for line in shell_lines(path)
    if re.match(r"(\w+=\$\()?(curl|ask) ", line) and "/v1/" in line
]


def resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words left for it."""
    command: click.Command = GROUPS[Path(words[0]).name]
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, f"no command {rest[0]} in {' '.join(words)}"
        command, rest = found, rest[1:]
    return command, rest


@pytest.mark.parametrize("words", OURS)
def test_every_command_and_option_exists_and_none_is_missing(words: list[str]) -> None:
    command, rest = resolved(words)
    known = {name: p for p in command.params for name in (*p.opts, *p.secondary_opts)}
    given = [word.split("=")[0] for word in rest if word.startswith("--") and word != "--help"]
    required = [p.opts for p in command.params if isinstance(p, click.Option) and p.required]

    assert set(given) <= set(known)
    assert all(set(names) & set(given) for names in required) or "--help" in rest


def test_the_settings_table_is_the_codes_own() -> None:
    shown = re.search(r"<!-- settings: .*?-->\n(.*?)\n<!-- /settings -->", README, re.S)

    assert shown is not None
    assert shown[1] == markdown_table()


@pytest.mark.parametrize("line", ADDRESSES)
def test_every_address_is_in_the_openapi_document(line: str, openapi: dict[str, object]) -> None:
    words = words_of(line)
    method = words[words.index("-X") + 1].lower() if "-X" in words else None
    method = method or ("post" if "-d" in words or "--data-binary" in words else "get")
    address = next(re.split(r"[?]", w[w.index("/v1/") :])[0] for w in words if "/v1/" in w)
    paths = openapi["paths"]
    assert isinstance(paths, dict)
    templates = {re.sub(r"\{[^}]+\}", "[^/:]+", path): path for path in paths}
    matching = [path for shape, path in templates.items() if re.fullmatch(shape, address)]

    assert any(method in paths[path] for path in matching), f"{method} {address}"
    for body in (words[i + 1] for i, w in enumerate(words) if w == "-d"):
        if not body.startswith("@"):
            orjson.loads(body)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_command_needs_a_tool_that_only_gnu_has_or_tells_a_day_that_is_over(path: Path) -> None:
    for line in shell_lines(path):
        assert not re.search(GNU_ALONE, line), line
        assert not re.search(r'"(starts|ends|occurred)_at": ?"2', line), line


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs/campaigns.md"])
def test_a_pasted_campaign_begins_now_lasts_a_month_and_makes_a_new_key_each_time(
    path: Path,
) -> None:
    made = [line for line in shell_lines(path) if re.match(r"FROM=|UNTIL=|new_key\(\)", line)]
    script = "\n".join([*made, 'printf "%s\\n%s\\n" "$FROM" "$UNTIL"', "new_key", "new_key"])
    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    starts, ends, *keys = done.stdout.split()
    starts_at, ends_at = datetime.fromisoformat(starts), datetime.fromisoformat(ends)

    assert abs(starts_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert abs(ends_at - starts_at - timedelta(days=30)) < timedelta(minutes=1)
    assert len({*keys}) == 2


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_checkout_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    for path in DOCUMENTS:
        for line in shell_lines(path):
            if words_of(line)[:1] == ["make"]:
                assert words_of(line)[1] in targets, line


@pytest.fixture
def openapi(service: Service) -> dict[str, object]:
    """The OpenAPI document of the service as it is."""
    document: dict[str, object] = service.ask("GET", "/openapi.json").json
    return document
