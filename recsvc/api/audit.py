"""The audit log, for those who must answer for what was done."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import PageQuery
from recsvc.domain.errors import ConflictError
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.entrance.audit_chain import Seen
from recsvc.stores.entrance.audit_note import NoteError, read_note
from recsvc.upkeep.shelves import Shelves

UNREADABLE = (
    "What was noted of the log cannot be read; run recsvc audit verify where the shelf is, "
    "it names the file and what to do."
)


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
    """Whether the log holds, and where it first breaks.

    ``witnessed`` is the number of the entry that the log was held against, as it was noted on the
    shelf; null where nothing was noted.
    """

    holds: bool
    entries: int
    broken_seq: int | None
    reason: str | None
    head: str
    witnessed: int | None


def audit_routes(
    gate: Gate, audit: AuditLog, shelves: Shelves, cursors: Cursors, body_limit_bytes: int
) -> Routes:
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
        """Hold every entry against its hash and the one before, and the log against its witness."""
        seen = _noted(shelves.of(caller.issuer_id).folder)
        return audit.verify(caller.issuer_id, seen).document()

    scope = "audit:read"
    routes.add("GET", "/v1/audit", show, scope=scope, answers={200: AuditPage})
    routes.add(
        "GET",
        "/v1/audit:verify",
        verify,
        scope=scope,
        answers={200: VerdictAnswer},
        more=(409,),
        budget=Budget.LONG,
    )
    return routes


def _noted(folder: Path) -> Seen | None:
    """What was noted of the log; ``witness_unreadable`` when that cannot be read."""
    try:
        return read_note(folder)
    except NoteError:
        raise ConflictError("witness_unreadable", UNREADABLE) from None
