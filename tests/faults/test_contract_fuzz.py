"""Whatever fits the OpenAPI document, or nearly fits, gets a documented answer and never a 5xx."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.bundles import an_offer, publish
from tests.service import Service

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = 6


@pytest.fixture
def live(service: Service) -> Service:
    """An issuer with a model and a catalogue."""
    publish(service.shelf())
    service.ask("PUT", "/v1/offers/offer_1", an_offer("offer_1"))
    service.look()
    return service


def test_F38_F39_F62_no_input_gets_a_5xx_or_an_undocumented_answer(live: Service) -> None:
    live.ask("GET", "/livez")
    schema = schemathesis.openapi.from_wsgi("/openapi.json", live.app)
    headers = {
        "Authorization": f"Bearer {live.keys['demo']}",
        "Idempotency-Key": "fuzz",
    }
    tried: dict[str, int] = {}
    faults: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            faults += _try(operation, mode, headers, tried)

    assert faults == []
    assert len(tried) >= 30


def _try(
    operation: Any, mode: GenerationMode, headers: dict[str, str], tried: dict[str, int]
) -> list[str]:
    """Faults that generated requests of one operation run into."""
    faults: list[str] = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        tried[operation.label] = tried.get(operation.label, 0) + 1
        answer = case.call(headers=headers)
        try:
            case.validate_response(answer, checks=CHECKS)
        except Exception as error:  # noqa: BLE001 - all are collected and told together
            faults.append(f"{operation.label}: {answer.status_code}: {str(error)[:400]}")

    try:
        ask()
    except Exception as error:  # noqa: BLE001 - an operation without such input
        if "Unsatisfiable" not in type(error).__name__:
            faults.append(f"{operation.label}: {type(error).__name__}: {str(error)[:300]}")
    return faults
