"""What holds for every endpoint: credentials, bodies, addresses, headers, one error form."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsvc.api.http.problems import TABLE
from recsvc.domain.errors import DomainError
from tests.service import Service

PROFILE = "/v1/cardholders/c1"
CONSENT = "/v1/cardholders/c1/consent"
YES = {"personalisation": True, "purpose_version": "1"}


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.data)
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code", "errors"} == set(body)
    assert body["instance"] == answer.headers["X-Request-Id"]
    return body


class TestCredentials:
    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            "rsk_a_b",
            "Bearer rsk_a_b",
            "Bearer " + "x" * 100_000,
        ],
    )
    def test_f43_without_one_good_key_401_says_how_to_ask(
        self, service: Service, value: str
    ) -> None:
        service.look()
        answer = service.app.test_client().get(CONSENT, headers={"Authorization": value})

        problem(answer, 401, "unauthorised")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_f42_two_authorization_headers_are_none(self, service: Service) -> None:
        key = service.key()
        answer = service.ask(
            "GET", CONSENT, headers={"Authorization": f"Bearer {key},Bearer {key}"}
        )

        problem(answer, 401, "unauthorised")

    def test_f43_a_key_in_the_address_is_refused_even_beside_a_good_header(
        self, service: Service
    ) -> None:
        problem(service.ask("GET", f"{CONSENT}?api_key=rsk_a_b"), 401, "unauthorised")

    def test_f43_a_key_without_the_scope_is_forbidden_and_told_which(
        self, service: Service
    ) -> None:
        key = service.key("demo", "rec:read")
        answer = service.ask("PUT", CONSENT, YES, headers={"Authorization": f"Bearer {key}"})

        assert "events:write" in problem(answer, 403, "scope_missing")["detail"]

    def test_f43_a_revoked_key_is_refused_after_the_next_look(self, service: Service) -> None:
        key = service.key()
        headers = {"Authorization": f"Bearer {key}"}
        before = service.ask("GET", CONSENT, headers=headers).status_code
        service.stores.api_keys.revoke(key.split("_")[1], now=service.clock())
        service.look()

        assert before == 200
        problem(service.ask("GET", CONSENT, headers=headers), 401, "unauthorised")

    def test_f43_a_key_expires_without_anyone_looking(self, service: Service) -> None:
        ends = service.clock() + timedelta(hours=1)
        _, key = service.stores.api_keys.create(
            "demo", ["rec:read"], now=service.clock(), expires_at=ends
        )
        service.look()
        headers = {"Authorization": f"Bearer {key}"}
        before = service.ask("GET", CONSENT, headers=headers).status_code
        service.clock.pass_time(hours=1)

        assert before == 200
        problem(service.ask("GET", CONSENT, headers=headers), 401, "unauthorised")

    def test_before_keys_could_be_read_nobody_is_told_that_he_has_none(
        self, service: Service
    ) -> None:
        answer = service.app.test_client().get(CONSENT, headers={"Authorization": "Bearer rsk_a_b"})

        problem(answer, 503, "credentials_unavailable")
        assert answer.headers["Retry-After"] == "1"

    def test_f40_another_issuers_cardholder_and_an_unknown_one_get_the_same_answer(
        self, service: Service
    ) -> None:
        service.ask("PUT", PROFILE, {"city": "Shanghai"}, issuer_id="other")
        theirs = service.ask("GET", PROFILE, headers={"X-Request-Id": "r"})
        nobodys = service.ask("GET", "/v1/cardholders/c2", headers={"X-Request-Id": "r"})

        assert problem(theirs, 404, "not_found") == problem(nobodys, 404, "not_found")

    def test_f41_one_cardholder_id_of_two_issuers_is_two_cardholders(
        self, service: Service
    ) -> None:
        service.ask("PUT", CONSENT, YES, issuer_id="other")

        assert json.loads(service.ask("GET", CONSENT).data)["personalisation"] is False


HOSTILE_JSON = {
    "deep": b"[" * 200_000,
    "deep_object": b'{"a":' * 50_000,
    "nan": b'{"personalisation": NaN}',
    "infinity": b'{"personalisation": Infinity}',
    "lone_surrogate": b'{"purpose_version": "\\ud800", "personalisation": true}',
    "bom": b"\xef\xbb\xbf{}",
    "utf16": '{"personalisation": true}'.encode("utf-16"),
    "latin1": b'{"purpose_version": "\xe9"}',
    "empty": b"",
    "two_values": b"{}{}",
    "huge_integer": b'{"personalisation": ' + b"9" * 5000 + b"}",
}


class TestBodies:
    @pytest.mark.parametrize("name", HOSTILE_JSON)
    def test_f38_what_is_not_one_plain_json_value_is_400(self, service: Service, name: str) -> None:
        problem(service.ask("PUT", CONSENT, raw=HOSTILE_JSON[name]), 400, "not_json")

    def test_f38_a_key_that_comes_twice_is_refused(self, service: Service) -> None:
        raw = b'{"personalisation": false, "personalisation": true, "purpose_version": "1"}'

        problem(service.ask("PUT", CONSENT, raw=raw), 400, "duplicate_key")

    @pytest.mark.parametrize("value", ["1e999", "1", '"true"', "null", "[]", "{}", '"yes"'])
    def test_f38_another_type_is_422_and_names_the_field(
        self, service: Service, value: str
    ) -> None:
        raw = f'{{"personalisation": {value}, "purpose_version": "1"}}'.encode()
        body = problem(service.ask("PUT", CONSENT, raw=raw), 422, "invalid_request")

        assert [fault["pointer"] for fault in body["errors"]] == ["/personalisation"]

    def test_f38_a_nul_in_a_text_is_422(self, service: Service) -> None:
        body = problem(service.ask("PUT", PROFILE, {"city": "a\x00b"}), 422, "invalid_request")

        assert body["errors"][0]["pointer"] == "/city"

    def test_a_profile_tells_the_zone_it_was_given_and_none_when_none_was(
        self, service: Service
    ) -> None:
        service.ask("PUT", PROFILE, {"timezone": "Asia/Urumqi"})
        given = json.loads(service.ask("GET", PROFILE).data)
        service.ask("PUT", PROFILE, {"city": "Shanghai"})

        assert given["timezone"] == "Asia/Urumqi"
        assert json.loads(service.ask("GET", PROFILE).data)["timezone"] is None

    @pytest.mark.parametrize("zone", ["Mars/Base", "Asia", "../../etc/passwd", "+08:00", "", 8])
    def test_a_zone_that_is_none_is_422_and_names_the_field(
        self, service: Service, zone: object
    ) -> None:
        body = problem(service.ask("PUT", PROFILE, {"timezone": zone}), 422, "invalid_request")

        assert [fault["pointer"] for fault in body["errors"]] == ["/timezone"]

    def test_unknown_fields_and_parameters_are_422(self, service: Service) -> None:
        of_body = service.ask("PUT", CONSENT, {**YES, "personalization": True})
        of_query = service.ask("GET", f"{CONSENT}?verbose=1")

        assert problem(of_body, 422, "invalid_request")["errors"][0]["code"] == "unknown_field"
        assert problem(of_query, 422, "invalid_request")["errors"][0]["pointer"] == "query/verbose"

    def test_what_was_sent_is_never_repeated(self, service: Service) -> None:
        secret = "seeded=secret"
        sent = {secret: secret, "city": {secret: 1}, "segments": [secret * 99]}
        answer = service.ask("PUT", PROFILE, sent)

        problem(answer, 422, "invalid_request")
        assert secret.encode() not in answer.data

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Type": "text/plain"},
            {"Content-Type": ""},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Content-Encoding": "gzip"},
        ],
    )
    def test_f37_f38_other_media_types_and_encodings_are_415(
        self, service: Service, headers: dict[str, str]
    ) -> None:
        assert service.ask("PUT", CONSENT, YES, headers=headers).status_code == 415

    def test_f37_a_body_beyond_the_limit_is_413(self, service: Service) -> None:
        raw = b'{"purpose_version": "' + b"x" * 300_000 + b'"}'

        problem(service.ask("PUT", CONSENT, raw=raw), 413, "body_too_large")

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(raw=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
    def test_f62_no_body_at_all_breaks_the_service(self, service: Service, raw: bytes) -> None:
        assert service.ask("PUT", CONSENT, raw=raw).status_code in (200, 400, 422)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        document=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["personalisation", "marketing", "push", "x"]), inner
                )
            ),
            max_leaves=8,
        )
    )
    def test_f62_no_json_at_all_breaks_the_service(self, service: Service, document: Any) -> None:
        assert service.ask("PUT", CONSENT, document).status_code in (200, 400, 415, 422)


class TestAddresses:
    @pytest.mark.parametrize(
        "cardholder_id",
        [
            "a*",
            "a%3Fb",
            "%5Ba%5D",
            "a%0d%0ab",
            "%7Btag%7D",
            "a b",
            "%00",
            "%ff",
            "é",
            "x" * 129,
            "a'--",
        ],
    )
    def test_f44_an_id_of_another_form_is_422(self, service: Service, cardholder_id: str) -> None:
        answer = service.ask("GET", f"/v1/cardholders/{cardholder_id}/consent")

        problem(answer, 422, "invalid_request")

    @pytest.mark.parametrize("path", ["a/b", "a%2Fb", "..%2f..%2fetc%2fpasswd", "%2e%2e/x"])
    def test_f45_an_id_with_a_slash_leads_nowhere(self, service: Service, path: str) -> None:
        answer = service.ask("GET", f"/v1/cardholders/{path}/consent")

        problem(answer, 404, "not_found")
        assert "No id holds a slash" in answer.json["detail"]

    @pytest.mark.parametrize("path", ["/", "/v1", "/v2/recommendations", f"{CONSENT}/", "//v1"])
    def test_f57_an_unknown_address_or_a_trailing_slash_is_404(
        self, service: Service, path: str
    ) -> None:
        problem(service.ask("GET", path), 404, "not_found")

    @pytest.mark.parametrize(
        "path",
        [
            "/v1//cardholders/4111111111111111/consent",
            "/v1/cardholders//c1/consent",
            "/docs//start.js",
            "/v1/audit//",
        ],
    )
    def test_F46_F56_F57_a_doubled_slash_is_404_and_leads_to_no_host_that_the_caller_names(
        self, service: Service, path: str
    ) -> None:
        answer = service.app.test_client().get(path, headers={"Host": "evil.example"})

        problem(answer, 404, "not_found")
        assert "4111" not in answer.get_data(as_text=True) + str(answer.headers)
        assert "evil" not in answer.get_data(as_text=True) + str(answer.headers)

    @pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"])
    def test_f57_another_method_is_405_and_says_which_are_offered(
        self, service: Service, method: str
    ) -> None:
        answer = service.ask(method, CONSENT)

        problem(answer, 405, "method_not_allowed")
        assert {"GET", "PUT"} <= set(answer.headers["Allow"].replace(" ", "").split(","))

    def test_f57_head_is_get_without_a_body(self, service: Service) -> None:
        answer = service.ask("HEAD", CONSENT)

        assert (answer.status_code, answer.data) == (200, b"")

    def test_f56_a_host_that_is_not_trusted_is_refused(self, service: Service) -> None:
        guarded = service.again(trusted_hosts="bank.example")
        good = guarded.ask("GET", CONSENT, headers={"Host": "bank.example"})
        bad = guarded.ask("GET", CONSENT, headers={"Host": "evil.example"})

        assert good.status_code == 200
        problem(bad, 400, "bad_request")


class TestEveryAnswer:
    def test_a_request_id_and_a_trace_are_taken_up(self, service: Service) -> None:
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        answer = service.ask("GET", CONSENT, headers={"X-Request-Id": "r-1", "traceparent": trace})
        given_back = answer.headers["traceparent"].split("-")

        assert answer.headers["X-Request-Id"] == "r-1"
        assert (given_back[1], given_back[3]) == ("a" * 32, "01")
        assert given_back[2] != "b" * 16

    @pytest.mark.parametrize("bad", ["", "a b", "x" * 129, "é"])
    def test_a_request_id_of_another_form_is_replaced(self, service: Service, bad: str) -> None:
        answer = service.ask("GET", CONSENT, headers={"X-Request-Id": bad})

        assert len(answer.headers["X-Request-Id"]) == 32

    @pytest.mark.parametrize(
        "bad", ["00-" + "0" * 32 + "-" + "b" * 16 + "-01", "ff-a-b-c", "00-" + "A" * 32 + "-x-01"]
    )
    def test_a_trace_of_another_form_is_begun_anew(self, service: Service, bad: str) -> None:
        answer = service.ask("GET", CONSENT, headers={"traceparent": bad})

        assert len(answer.headers["traceparent"]) == 55
        assert answer.headers["traceparent"] != bad

    @pytest.mark.parametrize("path", [CONSENT, "/nowhere", "/livez", "/docs"])
    def test_every_answer_carries_the_safe_headers(self, service: Service, path: str) -> None:
        headers = service.ask("GET", path).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]

    def test_f62_a_bug_of_ours_is_500_without_a_word_of_it(
        self, service: Service, log_lines: io.StringIO
    ) -> None:
        def broken(**_: object) -> str:
            raise RuntimeError("secret-detail /etc/passwd")

        name = "get_v1_cardholders_cardholder_id_consent"
        service.app.view_functions[name] = broken
        answer = service.ask("GET", CONSENT)

        problem(answer, 500, "internal_error")
        assert b"secret-detail" not in answer.data
        assert "secret-detail" not in log_lines.getvalue()
        told = json.loads(log_lines.getvalue().splitlines()[-1])
        assert (told["event"], told["kind"]) == ("unexpected_error", "RuntimeError")
        assert told["where"][-1].startswith("test_conversation.py:")

    def test_every_error_of_the_domain_has_its_row(self) -> None:
        def family(kind: type[Exception]) -> set[type[Exception]]:
            return {kind}.union(*map(family, kind.__subclasses__()))

        homeless = [
            kind.__name__
            for kind in family(DomainError) - {DomainError}
            if not any(parent in TABLE for parent in kind.__mro__)
        ]

        assert homeless == []
