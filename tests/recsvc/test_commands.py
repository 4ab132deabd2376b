"""The operator's commands, as processes on a real store."""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsvc.cli import COMMANDS, group
from recsvc.cli.lazy import Lazy, LazyCommands
from recsvc.cli.worker import WORKERS
from recsvc.demo.jobs import issuer_of
from recsvc.domain.cardholder import Consent
from recsvc.stores.assembly import Stores
from tests.bundles import an_offer
from tests.service import run_command


@pytest.fixture
def environ(clean_environment: dict[str, str], store_url: str) -> dict[str, str]:
    """An environment whose store is the empty one of this test."""
    return {**clean_environment, "RECSVC_REDIS_URL": store_url}


def test_a_command_whose_library_is_not_installed_says_which_it_is() -> None:
    bare = LazyCommands(lazy={"demo": Lazy("library_of_another_image", "")})

    result = CliRunner().invoke(bare, ["demo"])

    assert result.exit_code == 1
    assert "demo: needs library_of_another_image, which is not installed here" in result.stderr


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(group, ["--version"]).stdout.endswith(f"{version('recsvc')}\n")


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    environ: dict[str, str], stores: Stores
) -> None:
    create = ["keys", "create", "--issuer", "demo", "--scope", "rec:read", "--expires-in-days", "7"]
    shown = run_command(create, environ).stdout.strip()
    listed = json.loads(run_command(["keys", "list", "--json"], environ).stdout)["keys"]
    key_id, secret = shown.split("_")[1:]
    revoked = run_command(["keys", "revoke", key_id], environ)
    kept = stores.api_keys.all()[key_id]

    assert [key["key_id"] for key in listed] == [key_id]
    assert secret not in json.dumps(listed)
    assert revoked.returncode == 0
    assert (kept.issuer_id, sorted(kept.scopes)) == ("demo", ["rec:read"])
    assert kept.revoked_at is not None
    assert kept.expires_at is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "--issuer", "a/b", "--scope", "rec:read"],
        ["keys", "create", "--issuer", "..", "--scope", "rec:read"],
        ["keys", "create", "--issuer", "demo", "--scope", "everything"],
        ["keys", "create", "--issuer", "demo"],
        ["keys", "create", "--issuer", "4111111111111111", "--scope", "rec:read"],
        ["keys", "create", "--issuer", "bank_4111_1111_1111_1111", "--scope", "rec:read"],
        ["keys", "revoke", "nobody"],
        ["incident", "export", "--issuer", "demo", "--since", "0001-01-01T00:00:00+14:00"],
        ["worker", "dispatch", "--once", "--idle-seconds", "-1"],
        ["worker", "dispatch", "--once", "--every", "nan"],
        ["worker", "archive", "--once", "--every", "0"],
        ["catalog", "import", "--issuer", "demo", "nowhere.ndjson"],
    ],
)
def test_a_wrong_argument_is_refused_with_a_word(
    environ: dict[str, str], arguments: list[str]
) -> None:
    done = run_command(arguments, environ)

    assert done.returncode != 0
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


LISTED = "import sys, recsvc.cli; recsvc.cli.group([{}'--help'], standalone_mode=False)"
UNMET = "; print(*sorted({'pyarrow', 'flask', 'faiss', 'redis'} & {*sys.modules}), file=sys.stderr)"


@pytest.mark.parametrize(("group", "named"), [("", COMMANDS), ("'worker', ", WORKERS)])
def test_commands_are_listed_without_what_any_of_them_needs(
    group: str, named: Mapping[str, object]
) -> None:
    code = LISTED.format(group) + UNMET
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    listed = done.stdout.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line] == sorted(named)
    assert done.stderr.split() == []


@pytest.mark.parametrize("name", [*COMMANDS, *(f"worker {name}" for name in WORKERS)])
def test_each_command_that_is_listed_is_there(name: str) -> None:
    done = CliRunner().invoke(group, [*name.split(), "--help"])

    assert done.exit_code == 0
    assert name in done.stdout


def test_without_a_store_a_command_says_so_in_one_line(clean_environment: dict[str, str]) -> None:
    done = run_command(["keys", "list"], clean_environment, redis_url="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "recsvc: profile_store: no answer (connection);"
        " does it run where RECSVC_REDIS_URL and RECSVC_DURABLE_REDIS_URL say?"
    )


@pytest.mark.parametrize("option", ["--mapping", "--catalog"])
def test_a_demo_does_not_leave_out_in_silence_what_goes_with_usage(
    clean_environment: dict[str, str], tmp_path: Path, option: str
) -> None:
    done = run_command(
        ["demo", "--once", "--home", str(tmp_path), option, str(Path(__file__))], clean_environment
    )

    assert done.returncode == 2
    assert "name the usage too" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_demo_refuses_a_port_that_is_taken_before_it_replaces_anything(
    clean_environment: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "demo.key"
    kept.write_text("the key of the demo that runs\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_command(
            ["demo", "--once", "--home", str(tmp_path)], clean_environment, bind=bind
        )

    assert done.returncode == 1
    assert f"RECSVC_BIND: {bind} cannot be listened on" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["demo.key"]
    assert kept.read_text() == "the key of the demo that runs\n"


@pytest.mark.parametrize(
    ("usage", "mapping", "issuer"),
    [
        (None, None, "demo"),
        (Path("raw"), Path("mappings/devon.toml"), "devon"),
        (Path("our bank's usage.parquet"), None, "our-bank-s-usage"),
    ],
)
def test_a_demo_names_the_issuer_after_whose_usage_it_is(
    usage: Path | None, mapping: Path | None, issuer: str
) -> None:
    assert issuer_of(usage, mapping) == issuer


def test_cardholders_are_imported_with_consent_and_zone_or_not_at_all(
    environ: dict[str, str], stores: Stores, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    consent = {"personalisation": True, "marketing": {"push": True}, "purpose_version": "v1"}
    first = {"cardholder_id": "c1", "timezone": "Europe/London", "consent": consent}
    good.write_text(json.dumps(first) + "\n" + json.dumps({"cardholder_id": "c2", "city": "Xi'an"}))
    bad.write_text('{"cardholder_id": "c3"}\n{"cardholder_id": "c4", "timezone": "Mars/Base"}\n')

    refused = run_command(["cardholders", "import", "--issuer", "demo", str(bad)], environ)
    done = run_command(["cardholders", "import", "--issuer", "demo", "--json", str(good)], environ)

    one, two, three = stores.cardholders.states_of("demo", ["c1", "c2", "c3"])
    assert refused.returncode != 0
    assert "line 2: timezone: " in refused.stderr
    assert "IANA" in refused.stderr
    assert json.loads(done.stdout) == {"imported": 2, "newer_consents_kept": 0}
    assert (one.profile.timezone, one.consent.marketing) == ("Europe/London", {"push": True})
    assert (two.profile.timezone, two.profile.city) == (None, "Xi'an")
    assert not three.known


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            '{"cardholder_id": "c1", "consent": {"personalisation": false, "purpose_version": "1", '
            '"personalisation": true}}',
            "a key comes twice in one object",
        ),
        ('{"cardholder_id": "c1"', "not one JSON value: Expecting ',' delimiter"),
    ],
)
def test_F38_cardholders_whose_line_can_be_read_in_two_ways_or_in_none_are_not_imported(
    environ: dict[str, str], stores: Stores, tmp_path: Path, line: str, says: str
) -> None:
    file = tmp_path / "twice.ndjson"
    file.write_text(f"{line}\n")
    done = run_command(["cardholders", "import", "--issuer", "demo", str(file)], environ)

    assert done.returncode == 1
    assert f"line 1: {says}" in done.stderr
    assert not stores.cardholders.state_of("demo", "c1").known


def test_P15_importing_an_older_consent_undoes_no_withdrawal(
    environ: dict[str, str], stores: Stores, tmp_path: Path
) -> None:
    withdrawn = Consent(
        False, {}, "v1", datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    )
    for who in ("before", "after", "same"):
        stores.cardholders.put_consent("demo", who, withdrawn)
    file = tmp_path / "cardholders.ndjson"
    at = {
        "before": "2026-02-28T23:59:59.9Z",
        "same": "2026-03-01T00:00:00Z",
        "after": "2026-03-01T00:00:00.1Z",
        "nobody": "2020-01-01T00:00:00Z",
    }
    consents = {
        who: {"personalisation": True, "purpose_version": "v1", "recorded_at": when}
        for who, when in at.items()
    }
    lines = [{"cardholder_id": who, "city": "x", "consent": one} for who, one in consents.items()]
    file.write_text("\n".join(map(json.dumps, lines)))

    done = run_command(["cardholders", "import", "--issuer", "demo", "--json", str(file)], environ)

    states = {one.cardholder_id: one for one in stores.cardholders.states_of("demo", list(at))}
    allowed = {who for who, one in states.items() if one.consent.personalisation}
    assert json.loads(done.stdout) == {"imported": 4, "newer_consents_kept": 1}
    assert allowed == {"same", "after", "nobody"}
    assert {one.profile.city for one in states.values()} == {"x"}


def test_serving_on_a_taken_port_ends_with_one_clear_line(environ: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_command(["serve"], environ, bind=bind)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"recsvc: RECSVC_BIND: {bind} cannot be listened on (Address already in use); end what "
        "runs there, or choose another, such as RECSVC_BIND=127.0.0.1:8081"
    ]


@pytest.mark.parametrize(
    ("bind", "told"),
    [
        ("nonsense", "must be host:port"),
        ("127.0.0.1:99999", "must be host:port"),
        ("127.0.0.1:http", "must be host:port"),
        ("no-such-host.invalid:8080", "is no address of this machine"),
        ("192.0.2.1:8080", "cannot be listened on"),
    ],
)
def test_serving_where_nobody_can_listen_ends_with_one_clear_line(
    environ: dict[str, str], bind: str, told: str
) -> None:
    done = run_command(["serve"], environ, bind=bind)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("recsvc: RECSVC_BIND: ")
    assert told in done.stderr


def test_a_catalogue_file_is_imported_whole_or_not_at_all(
    environ: dict[str, str], stores: Stores, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    good.write_text("\n".join(json.dumps(an_offer(f"o{n}")) for n in range(3)))
    bad.write_text("\n".join(json.dumps(an_offer("twin")) for _ in range(2)))
    first = run_command(["catalog", "import", "--issuer", "demo", "--json", str(good)], environ)
    again = run_command(["catalog", "import", "--issuer", "demo", "--json", str(good)], environ)
    twins = run_command(["catalog", "import", "--issuer", "demo", str(bad)], environ)
    bad.write_text("\n")
    empty = run_command(["catalog", "import", "--issuer", "demo", "--json", str(bad)], environ)

    assert (empty.returncode, set(json.loads(empty.stdout).values())) == (0, {0})
    assert "warning: " in empty.stderr
    assert "holds no item" in empty.stderr
    assert "warning" not in first.stderr
    assert json.loads(first.stdout)["created"] == 3
    assert json.loads(again.stdout)["unchanged"] == 3
    assert twins.returncode == 1
    assert "line 2" in twins.stderr
    assert stores.catalog.changes_since("demo", 0).version == 3
