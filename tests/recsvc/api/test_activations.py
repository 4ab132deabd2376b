"""Activations keep a place in a budget, and nobody gets more than there is."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from recsvc.ledger.settling import SWEEP
from recsvc.stores.events.budget_sums import BudgetSums
from tests.bundles import an_offer, publish
from tests.recsvc.api.test_events import a_payment, an_event, item_ids, tell
from tests.service import Service

NEEDED = {"requires_activation": True}
BUDGET: dict[str, Any] = {"total": {"count": 3}}


@pytest.fixture
def live(service: Service) -> Service:
    """The checkerboard issuer with one offer that wants activation."""
    publish(service.shelf())
    put(service, budget=BUDGET)
    return service


def put(service: Service, item_id: str = "offer_1", **changes: Any) -> None:
    offer = an_offer(item_id, **{"merchant_id": "m_1", "terms": NEEDED, **changes})
    assert service.ask("PUT", f"/v1/offers/{item_id}", offer).status_code in (200, 201)
    service.look()


def activate(
    service: Service, cardholder_id: str = "ch_1", item_id: str = "offer_1", key: str = ""
) -> Any:
    headers = {"Idempotency-Key": key or f"{cardholder_id}-{item_id}-{service.clock().isoformat()}"}
    path = f"/v1/cardholders/{cardholder_id}/activations"
    return service.ask("POST", path, {"item_id": item_id}, headers=headers)


def body(answer: Any) -> Any:
    return answer.json


def withdraw(service: Service, cardholder_id: str = "ch_1") -> Any:
    return service.ask("DELETE", f"/v1/cardholders/{cardholder_id}/activations/offer_1")


def look(service: Service) -> None:
    """Everything the watchers look after, now."""
    for watcher in service.services.watchers:
        for one in watcher._rounds:
            one.look()


def savings(service: Service, cardholder_id: str = "ch_1") -> Any:
    return service.ask("GET", f"/v1/cardholders/{cardholder_id}/savings").json


def taken(service: Service, item_id: str = "offer_1") -> tuple[int, int]:
    (spent,) = BudgetSums(service.stores.durable).totals("demo", [item_id])
    return spent.count, spent.amount_minor


def test_an_activation_keeps_its_place_and_says_so_in_the_next_list(live: Service) -> None:
    answer = activate(live)

    assert answer.status_code == 201
    assert body(answer)["reserved"] == {"amount_minor": 2000, "currency": "CNY"}
    assert body(answer)["expires_at"] == "2026-03-02T12:00:00Z"
    assert taken(live) == (1, 2000)
    listed = body(live.ask("GET", "/v1/cardholders/ch_1/recommendations"))["items"]
    assert [item["activation"] for item in listed if item["item_id"] == "offer_1"] == ["activated"]


def test_activating_twice_is_activating_once(live: Service) -> None:
    first = activate(live, key="a")
    again, replayed = activate(live, key="b"), activate(live, key="a")

    assert (first.status_code, again.status_code, replayed.status_code) == (201, 200, 201)
    assert body(first) == body(again) == body(replayed)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert taken(live) == (1, 2000)


def refusals(service: Service, cardholder_id: str = "ch_1") -> list[str]:
    path = f"/v1/cardholders/{cardholder_id}/eligibility/offer_1"
    found: list[str] = body(service.ask("GET", path))["refusals"]
    return found


def test_who_activates_what_he_dismissed_finds_it_in_the_very_next_list(live: Service) -> None:
    tell(live, an_event("d", "dismissed", 59))
    assert refusals(live) == ["dismissed"]
    assert "offer_1" not in item_ids(live)

    assert activate(live).status_code == 201
    assert refusals(live) == []
    assert "offer_1" in item_ids(live)


def test_what_he_dismisses_after_he_activated_it_is_hidden_and_can_still_be_redeemed(
    live: Service,
) -> None:
    activate(live)
    live.clock.pass_time(hours=1)
    tell(live, an_event("d", "dismissed", occurred_at=live.clock().isoformat(), reason="not_now"))
    live.clock.pass_time(hours=1)
    assert refusals(live) == ["dismissed"]
    assert "offer_1" not in item_ids(live)

    tell(live, {**a_payment("p"), "occurred_at": live.clock().isoformat()})
    assert savings(live)["saved"] == [{"amount_minor": 2000, "currency": "CNY"}]
    assert refusals(live) == ["dismissed"]
    live.clock.pass_time(days=7)
    assert refusals(live) == []


def test_who_activates_again_what_is_open_and_dismissed_sees_it_and_keeps_his_one_place(
    live: Service,
) -> None:
    opened = body(activate(live))
    live.clock.pass_time(hours=1)
    tell(live, an_event("d", "dismissed", occurred_at=live.clock().isoformat()))
    live.clock.pass_time(hours=1)
    again = activate(live)

    assert (again.status_code, body(again)) == (200, opened)
    assert (refusals(live), taken(live)) == ([], (1, 2000))
    tell(live, {**a_payment("p"), "occurred_at": live.clock().isoformat()})
    assert (withdraw(live).status_code, taken(live)) == (409, (1, 2000))


def test_giving_an_activation_back_does_not_dismiss_again(live: Service) -> None:
    tell(live, an_event("d", "dismissed", 59))
    activate(live)

    assert (withdraw(live).status_code, refusals(live)) == (204, [])


@pytest.mark.parametrize("told", list(permutations(("early", "taken", "late"))))
@pytest.mark.parametrize(("kind", "last"), [("activated", "late"), ("redeemed", "taken")])
def test_F24_an_item_is_hidden_by_what_happened_last_not_by_what_was_told_last(
    live: Service, told: tuple[str, ...], kind: str, last: str
) -> None:
    put(live, terms={})
    minutes = {"early": 1, "taken": 20 if last == "late" else 40, "late": 30}
    for name in (*told, *told):
        tell(live, an_event(name, kind if name == "taken" else "dismissed", minutes[name]))

    assert refusals(live) == (["dismissed"] if last == "late" else [])


def test_F59_an_idempotency_key_is_needed_and_belongs_to_one_body(
    live: Service,
) -> None:
    put(live, "offer_2")
    path = "/v1/cardholders/ch_1/activations"

    assert live.ask("POST", path, {"item_id": "offer_1"}).status_code == 400
    assert activate(live, key="k").status_code == 201
    assert activate(live, item_id="offer_2", key="k").status_code == 422
    assert activate(live, "ch_2", key="k").status_code == 201


def test_a_used_up_budget_refuses_and_leaves_every_list(live: Service) -> None:
    for n in range(3):
        assert activate(live, f"ch_{n}").status_code == 201
    refused = activate(live, "ch_9")
    look(live)

    assert (refused.status_code, body(refused)["code"]) == (409, "budget_exhausted")
    assert taken(live) == (3, 6000)
    assert "offer_1" not in item_ids(live, "ch_9")


def test_F35_when_every_budget_is_used_up_the_list_is_empty_and_says_why(
    live: Service,
) -> None:
    for n in range(3):
        activate(live, f"ch_{n}")
    look(live)

    answer = body(live.ask("GET", "/v1/cardholders/ch_9/recommendations"))
    assert (answer["items"], answer["shortfall_reason"]) == ([], "nothing_eligible")


def test_a_budget_in_money_counts_what_is_set_aside(live: Service) -> None:
    put(live, budget={"total": {"amount": {"amount_minor": 4999, "currency": "CNY"}}})

    codes = [activate(live, f"ch_{n}").status_code for n in range(3)]
    assert codes == [201, 201, 409]
    assert taken(live) == (2, 4000)


def test_a_daily_budget_begins_anew_at_midnight_of_the_issuers_zone(live: Service) -> None:
    put(live, budget={"daily": {"count": 1}})

    assert activate(live, "ch_1").status_code == 201
    live.clock.pass_time(hours=3, minutes=59)  # 23:59 in Shanghai
    assert body(activate(live, "ch_2"))["code"] == "budget_exhausted"
    live.clock.pass_time(minutes=1)
    assert activate(live, "ch_2").status_code == 201


def test_a_cardholders_own_cap_is_told_apart_from_the_budget(live: Service) -> None:
    put(live, budget={"per_cardholder": {"count": 1, "period": "month"}})
    activate(live)
    live.clock.pass_time(minutes=1)
    tell(live, paid("p1", "settled", "2026-01-31T12:00:30Z"))

    refused = activate(live)
    assert (refused.status_code, body(refused)["code"]) == (409, "cap_reached")
    live.clock.pass_time(hours=13)  # February in Shanghai
    assert activate(live).status_code == 201


def test_what_eligibility_refuses_cannot_be_activated(live: Service) -> None:
    put(live, terms={**NEEDED, "tiers": ["gold"]})

    refused = activate(live)
    assert (refused.status_code, body(refused)["code"]) == (409, "not_eligible")
    assert "tier" in body(refused)["detail"]
    assert activate(live, item_id="unknown").status_code == 404


def test_withdrawing_frees_the_place_at_once(live: Service) -> None:
    put(live, budget={"total": {"count": 1}})
    activate(live)

    assert activate(live, "ch_2").status_code == 409
    assert withdraw(live).status_code == 204
    assert taken(live) == (0, 0)
    assert withdraw(live).status_code == 404
    assert activate(live, "ch_2", key="again").status_code == 201


def test_an_activation_that_lapses_frees_its_place_by_itself(live: Service) -> None:
    activate(live)
    live.clock.pass_time(days=30)
    look(live)

    assert taken(live) == (0, 0)


def test_what_lapses_of_items_that_are_gone_keeps_nobody_elses_place(live: Service) -> None:
    """More than one sweep takes, and all of them lapse first."""
    put(live, "gone", merchant_id="m_7", budget={"total": {"count": 1000}})
    put(live, "stays", merchant_id="m_8", budget={"total": {"count": 1}})
    told = [an_event(f"a{n}", "activated", 50) for n in range(2 * SWEEP + 5)]
    tell(
        live, *({**one, "cardholder_id": f"h_{n}", "item_id": "gone"} for n, one in enumerate(told))
    )
    activate(live, "late", "stays")
    live.ask("DELETE", "/v1/offers/gone")
    live.look()
    live.clock.pass_time(days=31)
    before = taken(live, "gone"), taken(live, "stays")
    for _ in range(4):
        look(live)

    assert before == ((2 * SWEEP + 5, (2 * SWEEP + 5) * 2000), (1, 2000))
    assert (taken(live, "gone"), taken(live, "stays")) == ((0, 0), (0, 0))


def test_P47_an_erased_cardholders_place_is_offered_to_others_again(live: Service) -> None:
    for n in range(3):
        activate(live, f"ch_{n}")
    look(live)
    before = item_ids(live, "ch_9")
    live.ask("DELETE", "/v1/cardholders/ch_0")
    look(live)

    assert "offer_1" not in before
    assert taken(live) == (2, 4000)
    assert "offer_1" in item_ids(live, "ch_9")


@pytest.mark.parametrize("span", ["total", "daily"])
def test_a_budget_that_is_raised_or_lowered_is_felt_in_lists_and_eligibility(
    live: Service, span: str
) -> None:
    put(live, budget={span: {"count": 2}})
    for n in range(2):
        activate(live, f"ch_{n}")
    look(live)
    assert "offer_1" not in item_ids(live, "ch_9")

    put(live, budget={span: {"count": 3}})
    look(live)
    assert "offer_1" in item_ids(live, "ch_9")
    assert activate(live, "ch_2").status_code == 201
    look(live)
    assert "offer_1" not in item_ids(live, "ch_9")

    put(live, budget={span: {"count": 9}})
    look(live)
    put(live, budget={span: {"count": 1}})
    look(live)
    told = live.ask("GET", "/v1/cardholders/ch_9/eligibility/offer_1").json
    assert told["refusals"] == ["budget_exhausted"]
    assert body(activate(live, "ch_9"))["code"] == "budget_exhausted"


def test_another_offer_or_bundle_does_not_bring_a_used_up_one_back(live: Service) -> None:
    for n in range(3):
        activate(live, f"ch_{n}")
    look(live)
    put(live, "offer_other")  # a new catalogue, of which the budgets were not looked at yet
    told = [item_ids(live, "ch_9")]
    publish(live.shelf())
    live.look()
    told.append(item_ids(live, "ch_9"))

    assert all("offer_1" not in items and "offer_other" in items for items in told)


def test_a_purchase_spends_the_place_and_a_reversal_gives_it_back(live: Service) -> None:
    rated = {
        "type": "cashback_percent",
        "rate_bps": 500,
        "max_value": {"amount_minor": 2000, "currency": "CNY"},
    }
    put(live, reward=rated)
    activate(live)
    live.clock.pass_time(minutes=30)
    at = "2026-01-31T12:10:00Z"
    assert taken(live) == (1, 2000)

    tell(live, paid("p1", "approved", at))
    assert (taken(live), savings(live)["pending"]) == ((1, 1000), [yuan(1000)])

    tell(live, paid("p2", "settled", at))
    assert savings(live)["saved"] == [yuan(1000)]
    assert savings(live)["items"] == [{"item_id": "offer_1", "uses": 1, "saved": yuan(1000)}]
    assert body(withdraw(live))["code"] == "already_redeemed"

    tell(live, paid("p3", "reversed", at))
    assert (taken(live), savings(live)["saved"]) == ((1, 2000), [])


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_F24_his_own_cap_converges_whatever_the_order_of_purchases_and_reversal(
    live: Service, order: tuple[int, ...]
) -> None:
    put(live, terms={}, budget={"total": {"count": 9}, "per_cardholder": {"count": 1}})
    told = [
        a_payment("p1", minute=1, transaction_id="t1"),
        a_payment("p2", minute=2, transaction_id="t2"),
        a_payment("p3", "reversed", minute=3, transaction_id="t1"),
        a_payment("p4", minute=4, transaction_id="t3"),
    ]
    for place in order:
        tell(live, told[place])

    assert savings(live)["saved"] == [yuan(2000)]
    assert taken(live) == (1, 2000)


def of_one(cardholder_id: str, *arguments: Any, **fields: Any) -> dict[str, Any]:
    return {**a_payment(*arguments, **fields), "cardholder_id": cardholder_id}


def test_a_purchase_that_a_budget_had_no_room_for_stays_unpaid(live: Service) -> None:
    put(live, terms={}, budget={"total": {"count": 1}})
    tell(live, of_one("ch_1", "p1", minute=1, transaction_id="t1"))
    tell(live, of_one("ch_2", "p2", minute=2, transaction_id="t2"))
    assert (savings(live, "ch_1")["saved"], taken(live)) == ([yuan(2000)], (1, 2000))

    tell(live, of_one("ch_1", "p3", "reversed", minute=3, transaction_id="t1"))
    assert (savings(live, "ch_1")["saved"], savings(live, "ch_2")["saved"]) == ([], [])
    assert taken(live) == (0, 0)


def views(service: Service, count: int, after: str) -> None:
    """So many looks at another item, a second apart."""
    first = datetime.fromisoformat(after)
    look_at = {"type": "viewed", "cardholder_id": "ch_1", "item_id": "elsewhere"}
    tell(
        service,
        *(
            {
                **look_at,
                "event_id": f"v-{after}-{n}".replace(":", "."),
                "occurred_at": (first + timedelta(seconds=n)).isoformat(),
            }
            for n in range(count)
        ),
    )


def test_F61_an_activation_outlives_the_events_of_who_looks_at_very_much(live: Service) -> None:
    activate(live)
    live.clock.pass_time(days=2)
    views(live, 450, "2026-02-01T00:00:00Z")
    look(live)
    listed = live.ask("GET", "/v1/cardholders/ch_1/recommendations").json["items"]
    tell(live, paid("p1", "settled", "2026-02-02T10:00:00Z"))

    assert [item["activation"] for item in listed if item["item_id"] == "offer_1"] == ["activated"]
    assert (taken(live), savings(live)["saved"]) == ((1, 2000), [yuan(2000)])


def test_F61_a_withdrawn_activation_stays_withdrawn_though_its_event_is_gone(live: Service) -> None:
    activate(live)
    live.clock.pass_time(days=2)
    views(live, 450, "2026-02-01T00:00:00Z")

    assert withdraw(live).status_code == 204
    look(live)
    assert (taken(live), withdraw(live).status_code) == ((0, 0), 404)


def test_F61_what_was_saved_stays_saved_when_the_activations_event_is_gone(live: Service) -> None:
    activate(live)
    live.clock.pass_time(days=2)
    views(live, 190, "2026-02-01T00:00:00Z")
    tell(live, paid("p1", "settled", "2026-02-02T10:00:00Z"))
    before = savings(live)
    live.clock.pass_time(days=1)
    views(live, 60, "2026-02-02T11:00:00Z")

    assert before["saved"] == [yuan(2000)]
    assert savings(live) == before
    assert taken(live) == (1, 2000)


@pytest.mark.parametrize("named", [{}, {"mcc": "5411"}, {"merchant_id": "acquirer"}])
def test_F24_a_reversal_gives_back_whatever_merchant_or_category_it_names(
    live: Service, named: dict[str, Any]
) -> None:
    put(live, merchant_id=None, mcc="5812", terms={}, budget=BUDGET)
    bought, reversed_ = a_payment("p1"), a_payment("p2", "reversed")
    bought["transaction"]["mcc"] = "5812"
    reversed_["transaction"] = {**reversed_["transaction"], **named}
    if not named:
        reversed_["transaction"].pop("mcc", None)
    tell(live, bought)
    before = taken(live)
    tell(live, reversed_)

    assert (before, taken(live)) == ((1, 2000), (0, 0))


def test_F24_a_reversal_before_its_approval_leaves_nothing_taken(live: Service) -> None:
    put(live, terms={}, budget=BUDGET)
    tell(live, a_payment("p2", "reversed"))
    tell(live, a_payment("p1", "approved"))

    assert (taken(live), savings(live)["pending"]) == ((0, 0), [])


def yuan(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "CNY"}


def paid(event_id: str, status: str, at: str) -> dict[str, Any]:
    return {**a_payment(event_id, status), "occurred_at": at}


def test_savings_count_offers_that_nobody_limits(live: Service) -> None:
    put(live, terms={}, budget=None)
    tell(live, a_payment("p1"), a_payment("p2", transaction_id="tx_2"))

    assert savings(live)["saved"] == [yuan(4000)]


def test_an_activation_told_as_an_event_takes_its_place_too(live: Service) -> None:
    tell(live, an_event("a", "activated", 58))

    assert taken(live) == (1, 2000)
    assert activate(live).status_code == 200


def test_F28_fifty_at_once_never_overspend(live: Service) -> None:
    put(live, budget={"total": {"count": 7}, "daily": {"amount": yuan(12_000)}})
    live.key()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: activate(live, f"ch_{n}").status_code, range(50)))

    assert Counter(answers) == {201: 6, 409: 44}
    assert taken(live) == (6, 12_000)


def test_F28_one_cardholder_fifty_times_at_once_has_one(live: Service) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: activate(live, key=f"k{n}"), range(50)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({body(answer)["activation_id"] for answer in answers}) == 1
    assert taken(live) == (1, 2000)
