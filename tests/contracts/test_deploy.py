"""What operators start from: it parses, and names only settings and commands that exist."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from recsvc.cli import COMMANDS
from recsvc.settings import settings_table

DEPLOY = Path(__file__).parents[2] / "deploy"
KNOWN = {row.name for row in settings_table()}


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


def pods() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "recsvc.yaml").read_text()))


@pytest.mark.parametrize(
    "path",
    sorted(p for p in DEPLOY.rglob("*") if p.is_file() and "locks" not in p.parts),
    ids=lambda path: path.name,
)
def test_every_setting_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bRECSVC_[A-Z_]+", path.read_text()))

    assert named <= KNOWN


def test_every_service_of_ours_calls_a_command_that_exists() -> None:
    called = [
        service["command"][0]
        for service in compose()["services"].values()
        if service.get("image") == "recsvc:latest"
    ]

    assert set(called) <= set(COMMANDS)
    assert "serve" in called


def test_every_container_is_read_only_and_has_a_bound() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["mem_limit"], name


def test_the_durable_store_acknowledges_only_what_is_on_disk() -> None:
    command = compose()["services"]["redis-durable"]["command"]

    assert command[command.index("--appendfsync") + 1] == "always"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_a_pod_is_restricted_and_is_asked_where_the_service_answers() -> None:
    deployment = pods()[0]["spec"]["template"]["spec"]
    container = deployment["containers"][0]

    assert deployment["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert (
        container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
    )


def test_the_unit_gives_the_service_time_to_drain() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read(DEPLOY / "recsvc.service")

    assert unit["Service"]["ExecStart"].endswith("recsvc serve")
    assert int(unit["Service"]["TimeoutStopSec"]) > 30


def test_the_proxy_takes_the_slow_sender_and_the_same_bodies() -> None:
    text = (DEPLOY / "nginx.conf").read_text()

    assert "client_header_timeout 3s;" in text
    assert "client_max_body_size 256k;" in text
    assert "client_max_body_size 5m;" in text
