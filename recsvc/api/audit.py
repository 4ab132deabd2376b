"""The audit log, for those who must answer for what was done."""

from typing import Any

from pydantic import BaseModel

from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import PageQuery
from recsvc.stores.entrance.audit import AuditLog


class AuditRow(BaseModel):
    """One entry; ``hash`` is the sha256 of the others as canonical JSON."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str | None
    detail: dict[str, Any]
    prev: str
    hash: str


class AuditPage(BaseModel):
    """Entries, oldest first."""

    items: list[AuditRow]
    next_cursor: str | None


class VerdictAnswer(BaseModel):
    """Whether the chain holds, and where it first breaks."""

    holds: bool
    entries: int
    broken_seq: int | None
    reason: str | None
    head: str


def audit_routes(gate: Gate, audit: AuditLog, cursors: Cursors, body_limit_bytes: int) -> Routes:
    """Endpoints of the audit log."""
    routes = Routes("audit", gate, body_limit_bytes)

    def show(caller: Caller, query: PageQuery) -> Any:  # noqa: ANN401
        """List what was done, oldest first."""
        after = int(cursors.open(caller.issuer_id, "audit", query.cursor) or 0)
        found = audit.page(caller.issuer_id, after=after, limit=query.limit + 1)
        shown, cursor = cursors.page(
            caller.issuer_id, "audit", found, query.limit, lambda entry: str(entry.seq)
        )
        return {"items": [entry.document() for entry in shown], "next_cursor": cursor}

    def verify(caller: Caller) -> Any:  # noqa: ANN401
        """Hold every entry against its hash and the one before."""
        return audit.verify(caller.issuer_id).document()

    scope = "audit:read"
    routes.add("GET", "/v1/audit", show, scope=scope, answers={200: AuditPage})
    routes.add(
        "GET",
        "/v1/audit:verify",
        verify,
        scope=scope,
        answers={200: VerdictAnswer},
        budget=Budget.LONG,
    )
    return routes
