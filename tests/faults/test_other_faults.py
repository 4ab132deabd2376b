"""Faults beside the store: logs that cannot be written, names that deceive, needless fields."""

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest

from recsvc.logs import open_log
from recsvc.metrics import Metrics
from recsvc.stores.assembly import Stores
from tests.bundles import an_offer, publish
from tests.service import Service, run_command


def test_F32_a_closed_log_pipe_and_lost_counters_hurt_no_answer(
    tmp_path: Path, stores: Stores
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    pipe = os.fdopen(writer, "w")
    log, metrics = open_log("debug", pipe), Metrics(str(tmp_path / "nowhere"))
    service = Service.assembled(tmp_path / "shelf", stores, log, metrics, access_log=True)
    publish(service.shelf())
    service.ask("PUT", "/v1/offers/offer_1", an_offer())
    service.look()
    answer = service.ask("GET", "/v1/cardholders/ch_1/recommendations")
    service.close()
    with contextlib.suppress(BrokenPipeError):
        pipe.close()

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "title",
    ["20\u202e off", "20\u200b off", "20\x00 off", "20\u2066 off", "20\ufeff off"],
)
def test_F47_a_title_that_shows_other_than_it_holds_is_refused(
    service: Service, title: str
) -> None:
    answer = service.ask("PUT", "/v1/offers/offer_1", an_offer(title={"en": title}))

    assert answer.status_code == 422


@pytest.mark.parametrize("look_alike", ["dеmo", "ｄｅｍｏ", "demo\u200b", "dem\u0307o"])
def test_F47_an_issuer_that_looks_like_another_gets_no_key(
    look_alike: str, store_url: str, clean_environment: dict[str, str]
) -> None:
    arguments = ["keys", "create", "--issuer", look_alike, "--scope", "rec:read"]
    told = run_command(arguments, clean_environment, redis_url=store_url)

    assert told.returncode == 2
    assert "must match" in told.stderr


def test_F47_a_title_is_kept_in_one_form(service: Service) -> None:
    service.ask("PUT", "/v1/offers/offer_1", an_offer(title={"en": "Cafe\u0301"}))
    stored: Any = service.ask("GET", "/v1/offers/offer_1").json

    assert stored["title"]["en"] == "Caf\u00e9"


@pytest.mark.parametrize("field", ["cvv", "pin", "track2", "credit_limit", "income"])
def test_P28_a_field_that_is_not_needed_is_refused(service: Service, field: str) -> None:
    answer = service.ask("PUT", "/v1/cardholders/ch_1", {"city": "Shanghai", field: "1"})

    assert answer.status_code == 422


def test_P46_a_corrected_attribute_counts_in_the_next_answer(service: Service) -> None:
    service.ask("PUT", "/v1/offers/offer_1", an_offer(terms={"cities": ["Suzhou"]}))
    service.look()
    path = "/v1/cardholders/ch_1/eligibility/offer_1"
    service.ask("PUT", "/v1/cardholders/ch_1", {"city": "Shanghai"})
    before: Any = service.ask("GET", path).json
    service.ask("PUT", "/v1/cardholders/ch_1", {"city": "Suzhou"})
    after: Any = service.ask("GET", path).json

    assert (before["eligible"], after["eligible"]) == (False, True)
