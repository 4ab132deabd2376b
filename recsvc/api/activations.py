"""Activations of a cardholder, and what he has saved."""

from typing import Annotated, Any

from flask import g, request
from pydantic import BaseModel, Field

from embeddings.catalog import Channel
from embeddings.catalog.money import Money
from embeddings.catalog.text import Label
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.routing import Rendered, Routes, render
from recsvc.api.http.schemas import Body, CardholderItemPath, CardholderPath, OutsideId
from recsvc.domain.errors import StoreAwayError
from recsvc.domain.lifecycle.savings import Saving, Savings
from recsvc.domain.question import Question
from recsvc.ledger.activating import Activated, Activator
from recsvc.ledger.settling import Settler
from recsvc.stores.events.ledger import LedgerStore


class ActivationBody(Body):
    """Which item, and where the cardholder is when he takes it."""

    item_id: OutsideId
    channel: Channel | None = None
    city: Label | None = None


class ActivationAnswer(BaseModel):
    """An open activation; the budget keeps its place until it expires, is used or is withdrawn."""

    cardholder_id: str
    item_id: str
    activation_id: str
    state: str
    expires_at: str | None
    reserved: Money | None


class ItemSaving(BaseModel):
    """What one item brought."""

    item_id: str
    uses: int
    saved: Money | None


class SavingsAnswer(BaseModel):
    """What a cardholder has saved, by currency; pending is bought and not settled yet."""

    cardholder_id: str
    saved: list[Money]
    pending: list[Money]
    items: Annotated[list[ItemSaving], Field(description="the largest first")]


def activation_routes(
    gate: Gate,
    activator: Activator,
    ledger: LedgerStore,
    settler: Settler,
    once: OnceOnly,
    body_limit_bytes: int,
) -> Routes:
    """Endpoints of activations and savings."""
    routes = Routes("activations", gate, body_limit_bytes)

    def activate(caller: Caller, path: CardholderPath, body: ActivationBody) -> Any:  # noqa: ANN401
        """Take an item: keeps a place in its total, daily and per-cardholder budgets."""
        question = Question(
            request_id=g.request_id,
            cardholder_id=path.cardholder_id,
            channel=body.channel,
            city=body.city,
        )
        return once.run(
            request,
            caller.issuer_id,
            body.model_dump_json().encode(),
            lambda: render(
                _rendered(question, activator.activate(caller.issuer_id, question, body.item_id))
            ),
            path.cardholder_id,
        )

    def withdraw(caller: Caller, path: CardholderItemPath) -> Any:  # noqa: ANN401
        """Give an open activation back; its place in the budgets is free at once."""
        activator.withdraw(caller.issuer_id, path.cardholder_id, path.item_id)
        return Rendered(None, 204)

    def savings(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """What a cardholder has saved so far."""
        if settler.settle(caller.issuer_id, (path.cardholder_id,)):
            raise StoreAwayError("event_store", "contended")
        (account,) = ledger.accounts(caller.issuer_id, (path.cardholder_id,))
        return savings_document(path.cardholder_id, Savings.of(account.uses))

    opened = "/v1/cardholders/<cardholder_id>/activations"
    answers = {200: ActivationAnswer, 201: ActivationAnswer}
    routes.add("POST", opened, activate, scope="events:write", answers=answers, more=(409,))
    routes.add(
        "DELETE",
        f"{opened}/<item_id>",
        withdraw,
        scope="events:write",
        answers={204: None},
        more=(409,),
    )
    routes.add(
        "GET",
        "/v1/cardholders/<cardholder_id>/savings",
        savings,
        scope="rec:read",
        answers={200: SavingsAnswer},
    )
    return routes


def _rendered(question: Question, activated: Activated) -> Rendered:
    use = activated.use
    document = {
        "cardholder_id": question.cardholder_id,
        "item_id": activated.item_id,
        "activation_id": use.use_id,
        "state": "activated",
        "expires_at": use.until,
        "reserved": _money(use.amount_minor, use.currency),
    }
    return Rendered(document, 201 if activated.is_new else 200)


def savings_document(cardholder_id: str, savings: Savings) -> dict[str, Any]:
    """Savings as the API tells them."""
    return {
        "cardholder_id": cardholder_id,
        "saved": [_money(amount, currency) for currency, amount in savings.saved.items()],
        "pending": [_money(amount, currency) for currency, amount in savings.pending.items()],
        "items": [_item_saving(saving) for saving in savings.items],
    }


def _item_saving(saving: Saving) -> dict[str, Any]:
    return {
        "item_id": saving.item_id,
        "uses": saving.uses,
        "saved": _money(saving.amount_minor, saving.currency),
    }


def _money(amount_minor: int, currency: str | None) -> dict[str, Any] | None:
    return None if currency is None else {"amount_minor": amount_minor, "currency": currency}
