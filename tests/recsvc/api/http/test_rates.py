"""Rates by credential and scope, and row 58: one key that looks for what it does not know."""

import io
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from recsvc.api.http.rates import MOST_COUNTED, PROBES_A_MINUTE, ProbeWatch, RateLimits, Window
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from tests.service import Service, settings

CONSENT = "/v1/cardholders/c1/consent"


class Ticks:
    """A monotonic clock that stands until it is moved."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_uses_up_to_the_rate_are_allowed_and_the_next_one_waits() -> None:
    window = Window(3, 60.0, Ticks(60.0 * 5))

    assert [window.use("a") for _ in range(4)] == [0.0, 0.0, 0.0, 60.0]
    assert window.use("b") == 0.0


@given(pauses=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=200))
def test_two_windows_side_by_side_never_let_twice_the_rate_through(pauses: list[float]) -> None:
    ticks, allowed = Ticks(0.0), []
    window = Window(5, 60.0, ticks)
    for pause in pauses:
        ticks.now += pause
        if window.use("a") == 0.0:
            allowed.append(ticks.now)

    for began in allowed:
        assert len([at for at in allowed if began <= at < began + 60.0]) <= 10


def test_a_rate_comes_back_when_its_window_has_passed() -> None:
    ticks = Ticks(0.0)
    window = Window(2, 1.0, ticks)
    spent = [window.use("a") for _ in range(3)][-1]
    ticks.now = 2.0

    assert spent > 0
    assert window.use("a") == 0.0


def test_names_without_end_take_bounded_memory() -> None:
    window = Window(2, 1.0, Ticks())
    for number in range(3 * MOST_COUNTED):
        window.use(str(number))

    assert len(window._counts) <= MOST_COUNTED


def test_a_worker_allows_its_share_of_a_rate() -> None:
    limits = RateLimits.of(settings(rate_limits="rec:read=10/hour", workers=4), Ticks(0.0))
    waits = [limits.wait_of("a", "rec:read") for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 0 < waits[3] <= 3600


def test_F58_beyond_the_rate_429_says_when_to_come_back(
    tmp_path: Path, stores: Stores, log: Log, metrics: Metrics
) -> None:
    limited = Service.assembled(
        tmp_path / "shelf", stores, log, metrics, rate_limits="rec:read=3/hour", workers=1
    )
    answers = [limited.ask("GET", CONSENT) for _ in range(4)]
    written = limited.ask("PUT", CONSENT, {"personalisation": True, "purpose_version": "1"})
    other = limited.ask("GET", CONSENT, issuer_id="other")

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert json.loads(answers[3].data)["code"] == "rate_limited"
    assert 0 < int(answers[3].headers["Retry-After"]) <= 3600
    assert (written.status_code, other.status_code) == (200, 200)


def test_F58_a_key_that_enumerates_is_told_once_a_minute(
    log: Log, log_lines: io.StringIO, metrics: Metrics
) -> None:
    ticks = Ticks(60.0)
    watch = ProbeWatch(log, metrics, ticks)
    for _ in range(PROBES_A_MINUTE + 50):
        watch.missed("key-1")
    watch.missed("key-2")
    told = [json.loads(line) for line in log_lines.getvalue().splitlines()]

    assert [(one["event"], one["credential_id"]) for one in told] == [
        ("enumeration_suspected", "key-1")
    ]
    assert "enumeration_suspected" in metrics.exposition().decode()


def test_F58_asking_for_cardholders_who_are_not_there_is_noticed(
    service: Service, log_lines: io.StringIO
) -> None:
    for number in range(PROBES_A_MINUTE + 1):
        assert service.ask("GET", f"/v1/cardholders/guess_{number}").status_code == 404

    assert '"enumeration_suspected"' in log_lines.getvalue()
    assert "guess_" not in log_lines.getvalue()


def test_F22_a_deadline_that_has_passed_is_504_without_the_work(service: Service) -> None:
    def asked(deadline: str) -> int:
        headers = {"X-Request-Deadline-Ms": deadline}
        return int(service.ask("GET", CONSENT, headers=headers).status_code)

    assert asked("60000") == 200
    assert asked("0") == 504
    assert {asked(bad) for bad in ("-1", "1.5", "soon", "1e3", "9" * 40)} == {422}
