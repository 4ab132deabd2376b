"""Every publication, export and campaign move leaves one entry in the audit log.

Which requests those are is told by the scope they need, so that a new endpoint of such a scope is
audited without anybody remembering to.
"""

from flask import Flask, Request, Response, g, request

from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.idempotency import REPLAYED
from recsvc.domain.errors import StoreAwayError
from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.stores.entrance.audit import AuditLog

CHANGING = frozenset(("models:write", "campaigns:write"))
TELLING = frozenset(("audiences:export",))
READING = frozenset(("GET", "HEAD", "OPTIONS"))
NAMED = frozenset(("version", "campaign_id", "webhook_id", "item_id"))
"""Parts of an address that go into an entry; a cardholder's id never does."""


class AuditedGate(Gate):
    """A gate that remembers whom it let in for what."""

    def admit(self, request: Request, scope: str) -> Caller:
        """As the gate's own."""
        caller = super().admit(request, scope)
        if scope in TELLING or (scope in CHANGING and request.method not in READING):
            g.audited = caller
        return caller


def install(app: Flask, audit: AuditLog, log: Log, metrics: Metrics) -> None:
    """Write an entry for each request of those scopes that was carried out."""

    def tell(response: Response) -> Response:
        caller: Caller | None = g.pop("audited", None)
        if caller is None or response.status_code >= 400 or REPLAYED in response.headers:
            return response
        if not _is_written(audit, caller):
            metrics.happened("audit_entry_lost")
            log.error("audit_entry_lost", issuer_id=caller.issuer_id, request_id=g.request_id)
        return response

    app.after_request(tell)


def _is_written(audit: AuditLog, caller: Caller) -> bool:
    try:
        _append(audit, caller)
    except StoreAwayError:
        return False
    return True


def _append(audit: AuditLog, caller: Caller) -> None:
    rule = request.url_rule.rule if request.url_rule else ""
    named = {n: str(v) for n, v in (request.view_args or {}).items() if n in NAMED}
    audit.append(
        caller.issuer_id,
        actor=caller.credential_id,
        action=f"{request.method.lower()} {rule}",
        detail={**named, "status": "done"},
    )
