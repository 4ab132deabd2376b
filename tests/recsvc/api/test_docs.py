"""The contract as a document: complete, resolvable, and shown without a network."""

import json
import re
from typing import Any

import pytest

from recsvc.stores.entrance.api_keys import SCOPES
from tests.service import Service


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    answer: dict[str, Any] = service.ask("GET", "/openapi.json").json
    return answer


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_documented_and_nothing_else(
    service: Service, document: dict[str, Any]
) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in service.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1")
    }

    assert {(path, method) for path, method, _ in operations(document)} == routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for name in set(re.findall(r"#/components/schemas/([^\"]+)", text)):
        assert name in document["components"]["schemas"]


def test_every_operation_says_its_scope_its_words_and_its_errors(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)
    for path, _, operation in operations(document):
        assert operation["x-scope"] in SCOPES, path
        assert operation["summary"], path
        assert {"401", "403", "422", "503"} <= set(operation["responses"]), path
        assert "application/problem+json" in operation["responses"]["401"]["content"], path


def test_operations_stand_in_groups_that_say_what_they_are_for(document: dict[str, Any]) -> None:
    groups = {tag["name"]: tag["description"] for tag in document["tags"]}
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}

    assert used == set(groups)
    assert all(groups.values())
    assert [*groups][:2] == ["recommendations", "items"]
    assert "Idempotency-Key" in document["info"]["description"]


def test_limits_are_in_the_document(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/cardholders/{cardholder_id}/recommendations"]["get"]
    limit = next(one for one in operation["parameters"] if one["name"] == "limit")

    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 100)
    assert limit["schema"]["type"] == "integer"


def test_the_page_needs_nothing_from_outside(service: Service) -> None:
    page = service.ask("GET", "/docs").text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert wanted
    for address in wanted:
        assert address.startswith("/docs/")
        assert service.ask("GET", address).status_code == 200
    assert service.ask("GET", "/docs/../settings.py").status_code == 404
    assert "script-src 'self'" in service.ask("GET", "/docs").headers["Content-Security-Policy"]
