"""An address that is looked up is the one that Flask finds, and its host was looked at."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException

from recsvc.api.http.addresses import Found
from tests.service import Service

LIST = "/v1/cardholders/c1/recommendations"
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
ODD = st.text(st.characters(codec="utf-8"), max_size=6)
ONE_EXAMPLE_APP = settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def words_of(app: Flask) -> list[str]:
    """Every word that stands in any address of the service."""
    return sorted({word for rule in app.url_map.iter_rules() for word in rule.rule.split("/")})


def outcome(adapter: Any) -> object:
    """What an adapter finds, or the kind of its refusal."""
    try:
        rule, segments = adapter.match(return_rule=True)
    except HTTPException as refusal:
        return type(refusal)
    return rule, dict(segments)


def adapters(app: Flask, method: str, path: str) -> tuple[Any, Any]:
    """The service's adapter for a request, once its host is known, and Flask's own."""
    environ = {
        "HTTP_HOST": "localhost",
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin1"),  # as WSGI has it
    }
    with app.test_request_context("/livez", environ_overrides=environ) as context:
        return app.create_url_adapter(context.request), Flask.create_url_adapter(
            app, context.request
        )


@ONE_EXAMPLE_APP
@given(method=METHODS, data=st.data())
def test_any_address_leads_where_flask_would_lead(
    service: Service, method: str, data: st.DataObject
) -> None:
    word = st.one_of(st.sampled_from(words_of(service.app)), ODD)
    parts = data.draw(st.lists(word, min_size=1, max_size=6))
    found, flask_s = adapters(service.app, method, "/" + "/".join(parts))

    assert outcome(found) == outcome(flask_s)


@ONE_EXAMPLE_APP
@given(name=ODD.filter(lambda name: name and "/" not in name), data=st.data())
def test_every_address_of_a_thing_of_a_collection_is_looked_up(
    service: Service, name: str, data: st.DataObject
) -> None:
    rules = [
        rule
        for rule in service.app.url_map.iter_rules()
        if rule.rule.count("/") > 3 and len(rule.arguments) == 1
    ]
    rule = data.draw(st.sampled_from(rules))
    method = data.draw(st.sampled_from(sorted(rule.methods or ())))
    first, things, _, more = rule.rule[1:].split("/", 3)
    found, flask_s = adapters(service.app, method, f"/{first}/{things}/{name}/{more}")

    assert isinstance(found, Found)
    assert outcome(found) == outcome(flask_s) == (rule, {min(rule.arguments): name})


@pytest.mark.parametrize("bad", ["evil.example", "a" * 70 + ".example"])
def test_f56_a_host_is_refused_however_often_another_was_taken(service: Service, bad: str) -> None:
    guarded = service.again(trusted_hosts="bank.example")

    def status(host: str) -> int:
        return int(guarded.ask("GET", LIST, headers={"Host": host}).status_code)

    assert [status(host) for host in ("bank.example", bad, "bank.example", bad)] == [
        503,  # there is no catalogue
        400,
        503,
        400,
    ]


def test_hosts_that_change_with_every_request_are_not_all_kept(service: Service) -> None:
    hosts = {f"h{number}.example" for number in range(600)}
    for host in sorted(hosts):
        service.ask("GET", LIST, headers={"Host": host})

    kept = [found for found in vars(service.app).values() if isinstance(found, set)]
    assert all(len(one & hosts) <= 256 for one in kept)
    assert any(one & hosts for one in kept)


def test_a_request_to_change_the_protocol_is_refused_on_a_known_host_too(
    service: Service,
) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket"}
    statuses = [
        service.ask("GET", LIST, headers=headers).status_code for headers in ({}, asked, {}, asked)
    ]

    assert statuses == [503, 400, 503, 400]
