"""Events, activations, budgets and reversals against a plain model of what should be."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from recsvc.stores.events.budget_sums import BudgetSums
from tests.bundles import an_offer
from tests.service import Service

TAKEN, PAID = "taken", "paid"
CARDHOLDERS = ("ch_a", "ch_b")
TOTAL_TAKEN, CAP, TOTAL_PAID = 3, 2, 3
REWARD = 2000
NUMBERS = itertools.count()

cardholders = st.sampled_from(CARDHOLDERS)


@dataclass
class Purchase:
    """One transaction: when, whether it was settled, whether it was taken back."""

    at: int
    is_settled: bool
    is_undone: bool = False
    is_paid_for: bool = True


@dataclass
class Plain:
    """What one cardholder did, as one would note it on paper."""

    activations: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Purchase] = field(default_factory=dict)
    paid: dict[str, Purchase] = field(default_factory=dict)
    said: set[tuple[int, bool]] = field(default_factory=set)
    """When he dismissed (False) what wants activation, or activated it (True): to ask for what is
    open and not dismissed is no deed."""

    def replay(self) -> tuple[str | None, dict[str, str]]:
        """The open activation, and which activation each purchase used up."""
        events = [(at, 0, name) for name, at in self.activations.items()]
        events += [(p.at, 1, name) for name, p in self.taken.items() if not p.is_undone]
        opened: str | None = None
        used: dict[str, str] = {}
        for _, is_purchase, name in sorted(events):
            if not is_purchase:
                opened = opened or name
            elif opened is not None:
                used[name] = opened
                opened = None
        return opened, used

    def places(self) -> int:
        """Places he takes in the budget of the offer that wants activation."""
        opened, used = self.replay()
        return len(used) + (opened is not None)

    def dismisses(self) -> bool:
        """Whether what he said last of the offer that wants activation is that he does not."""
        _, has_taken = max(self.said, default=(0, True))
        return not has_taken


class Machine(RuleBasedStateMachine):
    """One issuer, two offers with budgets, two cardholders.

    Parameters
    ----------
    service : the assembled service; each run gets an issuer of its own
    """

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        self.issuer_id = f"issuer_{next(NUMBERS)}"
        self.minute = 0
        self.plain = {one: Plain() for one in CARDHOLDERS}
        self.sent: list[dict[str, Any]] = []
        for item_id, merchant, terms, budget in (
            (
                TAKEN,
                "m_1",
                {"requires_activation": True},
                {"total": {"count": TOTAL_TAKEN}, "per_cardholder": {"count": CAP}},
            ),
            (PAID, "m_2", {}, {"total": {"count": TOTAL_PAID}}),
        ):
            offer = an_offer(item_id, merchant_id=merchant, terms=terms, budget=budget)
            answer = service.ask("PUT", f"/v1/offers/{item_id}", offer, issuer_id=self.issuer_id)
            assert answer.status_code == 201
        service.look()
        service.look()

    def tick(self) -> int:
        self.service.clock.pass_time(minutes=1)
        self.minute += 1
        return self.minute

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Idempotency-Key": f"k{next(NUMBERS)}"}
        path = f"/v1/cardholders/{path}"
        return self.service.ask(method, path, body, issuer_id=self.issuer_id, headers=headers)

    def tell(self, cardholder_id: str, merchant_id: str, name: str, status: str) -> None:
        paid = {
            "transaction_id": name,
            "merchant_id": merchant_id,
            "amount": {"amount_minor": 20_000, "currency": "CNY"},
            "status": status,
        }
        self.tell_event(cardholder_id, "transaction", transaction=paid)

    def tell_event(self, cardholder_id: str, kind: str, ago: int = 0, **fields: Any) -> None:
        """Tell of what happened so many minutes ago."""
        event = {
            "event_id": f"e{next(NUMBERS)}",
            "type": kind,
            "cardholder_id": cardholder_id,
            "occurred_at": (self.service.clock() - timedelta(minutes=ago)).isoformat(),
            **fields,
        }
        assert self.send(event) == "accepted"
        self.sent.append(event)

    def send(self, event: dict[str, Any]) -> str:
        answer = self.service.ask(
            "POST", "/v1/events", {"events": [event]}, issuer_id=self.issuer_id
        )
        body: Any = answer.json
        status: str = body["results"][0]["status"]
        return status

    @rule(one=cardholders)
    def activate(self, one: str) -> None:
        now, plain = self.tick(), self.plain[one]
        opened, _ = plain.replay()
        everyone = sum(other.places() for other in self.plain.values())
        answer = self.ask("POST", f"{one}/activations", {"item_id": TAKEN})
        if answer.status_code == 201 or (answer.status_code == 200 and plain.dismisses()):
            plain.said.add((now, True))
        if opened is not None:
            assert (answer.status_code, answer.json["activation_id"]) == (200, opened)
        elif plain.places() >= CAP:
            assert answer.json["code"] == "cap_reached"
        elif everyone >= TOTAL_TAKEN:
            assert answer.json["code"] == "budget_exhausted"
        else:
            assert answer.status_code == 201
            plain.activations[answer.json["activation_id"]] = now

    @rule(one=cardholders, ago=st.integers(0, 4))
    def dismiss(self, one: str, ago: int) -> None:
        now = self.tick()
        self.tell_event(one, "dismissed", ago, item_id=TAKEN)
        self.plain[one].said.add((now - ago, False))

    @rule(one=cardholders)
    def withdraw(self, one: str) -> None:
        self.tick()
        plain = self.plain[one]
        opened, used = plain.replay()
        answer = self.ask("DELETE", f"{one}/activations/{TAKEN}")
        if opened is None:
            assert answer.status_code == (409 if used else 404)
            return
        assert answer.status_code == 204
        for name in set(plain.activations) - set(used.values()):
            del plain.activations[name]

    @rule(one=cardholders, is_settled=st.booleans())
    def buy_what_was_taken(self, one: str, is_settled: bool) -> None:
        now, name = self.tick(), f"t{next(NUMBERS)}"
        self.tell(one, "m_1", name, "settled" if is_settled else "approved")
        self.plain[one].taken[name] = Purchase(now, is_settled)

    @rule(one=cardholders, is_settled=st.booleans())
    def take_and_buy(self, one: str, is_settled: bool) -> None:
        self.activate(one)
        self.buy_what_was_taken(one, is_settled)

    @rule(one=cardholders, is_settled=st.booleans())
    def buy(self, one: str, is_settled: bool) -> None:
        now, name = self.tick(), f"t{next(NUMBERS)}"
        self.tell(one, "m_2", name, "settled" if is_settled else "approved")
        has_room = self.paid_places() < TOTAL_PAID
        self.plain[one].paid[name] = Purchase(now, is_settled, is_paid_for=has_room)

    @rule(one=cardholders, status=st.sampled_from(("settled", "reversed")), data=st.data())
    def follow_up(self, one: str, status: str, data: st.DataObject) -> None:
        self.tick()
        plain = self.plain[one]
        known = [("m_1", n, p) for n, p in plain.taken.items()]
        known += [("m_2", n, p) for n, p in plain.paid.items()]
        if not known:
            return
        merchant, name, purchase = data.draw(st.sampled_from(known))
        self.tell(one, merchant, name, status)
        purchase.is_settled |= status == "settled"
        purchase.is_undone |= status == "reversed"

    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        if self.sent:
            assert self.send(data.draw(st.sampled_from(self.sent))) == "duplicate"

    def paid_places(self) -> int:
        """Places taken in the budget of the offer that is earned by paying."""
        every = (p for plain in self.plain.values() for p in plain.paid.values())
        return sum(not p.is_undone and p.is_paid_for for p in every)

    @invariant()
    def budgets_are_what_the_paper_says(self) -> None:
        taken, paid = BudgetSums(self.service.stores.durable).totals(self.issuer_id, [TAKEN, PAID])
        places = sum(plain.places() for plain in self.plain.values())

        assert (taken.count, taken.amount_minor) == (places, places * REWARD)
        assert (paid.count, paid.amount_minor) == (
            self.paid_places(),
            self.paid_places() * REWARD,
        )
        assert taken.count <= TOTAL_TAKEN
        assert paid.count <= TOTAL_PAID

    @invariant()
    def what_he_dismissed_is_what_the_paper_says(self) -> None:
        for one, plain in self.plain.items():
            told: Any = self.ask("GET", f"{one}/eligibility/{TAKEN}").json

            assert ("dismissed" in told["refusals"]) is plain.dismisses()

    @invariant()
    def savings_are_what_the_paper_says(self) -> None:
        for one, plain in self.plain.items():
            _, used = plain.replay()
            earned = [plain.taken[name] for name in used]
            earned += [p for p in plain.paid.values() if p.is_paid_for and not p.is_undone]
            saved = REWARD * sum(p.is_settled for p in earned)
            pending = REWARD * sum(not p.is_settled for p in earned)
            told: Any = self.ask("GET", f"{one}/savings").json

            assert sum(money["amount_minor"] for money in told["saved"]) == saved
            assert sum(money["amount_minor"] for money in told["pending"]) == pending


def test_F24_F28_the_ledger_is_what_one_would_note_on_paper(service: Service) -> None:
    run_state_machine_as_test(
        lambda: Machine(service),  # type: ignore[arg-type]
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
