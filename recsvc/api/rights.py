"""What a cardholder may demand: his interests, his data, and to be forgotten."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.routing import Rendered, Routes
from recsvc.api.http.schemas import CardholderPath, OutsideId, Parameters
from recsvc.domain.errors import NotFoundError
from recsvc.domain.interests import Interest, column_of, interests_of
from recsvc.domain.model import ModelSlot
from recsvc.stores.denylist import DenyList
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.people.cardholders import CardholderStore
from recsvc.stores.rights.erasure import ErasureStore
from recsvc.stores.rights.export import ExportStore


class InterestPath(Parameters):
    """The cardholder and the interest in the address."""

    cardholder_id: OutsideId
    tag: Annotated[str, Field(pattern=r"^[a-z]{1,16}\.[A-Za-z0-9._~-]{1,128}$")]


class InterestRow(BaseModel):
    """One thing that moves his lists, and why it is believed."""

    tag: str
    kind: str
    label: str
    share: float
    evidence: dict[str, Any]


class InterestAnswer(BaseModel):
    """His interests, the strongest first; none while he is not personalised."""

    cardholder_id: str
    personalised: bool
    interests: list[InterestRow]


class ExportAnswer(BaseModel):
    """Everything held of a cardholder, by where it stands."""

    cardholder_id: str
    exported_at: datetime
    stores: dict[str, Any]
    model: dict[str, Any] | None
    interests: list[InterestRow]
    elsewhere: list[str]


class ReceiptAnswer(BaseModel):
    """What was erased with this answer, and what follows."""

    receipt_id: str
    erased_at: str
    gone_from: list[str]
    follows: dict[str, str]
    finished_at: str | None = None


GONE = ["profile", "consent", "events", "interests", "uses", "lists", "pushes", "replays"]
FOLLOWS = {
    "streams": "with the archiver's next round",
    "archive": "with the archiver's next round",
    "models": "with the next training; older ones are masked from now on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsDesk:
    """What the endpoints of a cardholder's rights need.

    Parameters
    ----------
    slot : the models that serve
    cardholders, erasure, export, deny_list, audit : stores
    clock : aware now
    """

    slot: ModelSlot
    cardholders: CardholderStore
    erasure: ErasureStore
    export: ExportStore
    deny_list: DenyList
    audit: AuditLog
    clock: Callable[[], datetime]

    def interests(self, issuer_id: str, cardholder_id: str) -> dict[str, Any]:
        """What his lists are made from."""
        state = self.cardholders.state_of(issuer_id, cardholder_id)
        model = self.slot.current(issuer_id)
        found = interests_of(model, state) if model else ()
        return {
            "cardholder_id": cardholder_id,
            "personalised": state.may_personalise,
            "interests": [_row(interest) for interest in found],
        }

    def delete_interest(self, caller: Caller, cardholder_id: str, tag: str) -> None:
        """Forget one interest; NotFoundError when it is none of his."""
        column = column_of(tag)
        found = self.interests(caller.issuer_id, cardholder_id)["interests"]
        if column is None or tag not in {row["tag"] for row in found}:
            raise NotFoundError
        self._tell(caller, "interest_deleted", cardholder_id)
        self.cardholders.delete_interest(caller.issuer_id, cardholder_id, column, self.clock())

    def data(self, caller: Caller, cardholder_id: str) -> dict[str, Any]:
        """Everything held of him."""
        self._tell(caller, "data_exported", cardholder_id)
        return {
            "cardholder_id": cardholder_id,
            "exported_at": self.clock(),
            "stores": self.export.of(caller.issuer_id, cardholder_id),
            "model": self._model_row(caller.issuer_id, cardholder_id),
            "interests": self.interests(caller.issuer_id, cardholder_id)["interests"],
            "elsewhere": ["archived events: recsvc erasure find --cardholder …"],
        }

    def _model_row(self, issuer_id: str, cardholder_id: str) -> dict[str, Any] | None:
        """His row of the bundle that serves: vector and history, whether or not he consents."""
        model = self.slot.current(issuer_id)
        if model is None or model.bundle is None:
            return None
        held = model.bundle.model
        row = held.cardholders.row(cardholder_id)
        if row is None:
            return None
        own = held.history.cells(row)
        columns = [held.columns.id(column) for column in held.history.rows[own].tolist()]
        return {
            "version": model.bundle.version,
            "vector": held.factors.cardholders[row].tolist(),
            "history": [
                {"column": column, "visits": visits}
                for column, visits in zip(columns, held.history.visits[own].tolist(), strict=True)
            ],
        }

    def erase(self, caller: Caller, cardholder_id: str) -> dict[str, Any]:
        """Forget him; the same receipt when he was forgotten before."""
        known = self.deny_list.receipt(caller.issuer_id, cardholder_id)
        if known is not None:
            self.erasure.unlink(caller.issuer_id, cardholder_id)  # the first time may have died
            return known
        receipt = {
            "receipt_id": f"ers_{secrets.token_hex(12)}",
            "erased_at": self.clock(),
            "gone_from": GONE,
            "follows": FOLLOWS,
        }
        self._tell(caller, "erased", cardholder_id, receipt_id=receipt["receipt_id"])
        return self.erasure.erase(caller.issuer_id, cardholder_id, receipt)

    def _tell(self, caller: Caller, action: str, cardholder_id: str, **detail: Any) -> None:  # noqa: ANN401
        self.audit.append(
            caller.issuer_id,
            actor=caller.credential_id,
            action=action,
            cardholder_id=cardholder_id,
            detail=detail,
        )


def rights_routes(gate: Gate, desk: RightsDesk, body_limit_bytes: int) -> Routes:
    """Endpoints of a cardholder's rights."""
    routes = Routes("rights", gate, body_limit_bytes)

    def get_interests(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """What moves his lists, each with its evidence."""
        return desk.interests(caller.issuer_id, path.cardholder_id)

    def delete_interest(caller: Caller, path: InterestPath) -> Any:  # noqa: ANN401
        """Delete one interest; it stays away until something new is known."""
        desk.delete_interest(caller, path.cardholder_id, path.tag)
        return Rendered(None, 204)

    def data_export(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """Everything held of a cardholder, in a common form."""
        return desk.data(caller, path.cardholder_id)

    def erase(caller: Caller, path: CardholderPath) -> Any:  # noqa: ANN401
        """Forget a cardholder: gone from serving with this answer, and from every later model."""
        return desk.erase(caller, path.cardholder_id)

    one, admin = "/v1/cardholders/<cardholder_id>", "privacy:admin"
    routes.add(
        "GET",
        f"{one}/interests",
        get_interests,
        scope="rec:read",
        answers={200: InterestAnswer},
    )
    routes.add(
        "DELETE",
        f"{one}/interests/<tag>",
        delete_interest,
        scope="events:write",
        answers={204: None},
        more=(409,),
    )
    routes.add(
        "GET",
        f"{one}/data-export",
        data_export,
        scope=admin,
        answers={200: ExportAnswer},
        budget=Budget.LONG,
    )
    routes.add("DELETE", one, erase, scope=admin, answers={200: ReceiptAnswer}, budget=Budget.LONG)
    return routes


def _row(interest: Interest) -> dict[str, Any]:
    return {
        "tag": interest.tag,
        "kind": interest.kind.value,
        "label": interest.label,
        "share": interest.share,
        "evidence": {"visits": interest.visits, "last_on": interest.last_on},
    }
