"""The privacy notice: what a cardholder must be told before anything is done with his data."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from embeddings.catalog.text import Label, Localised
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import Body
from recsvc.stores.entrance.audit import AuditLog
from recsvc.stores.people.notice import NoticeStore, StoredNotice

SHIPPED: dict[str, Any] = {
    "purposes": ["recommend benefits and merchant offers", "measure whether they were of use"],
    "methods": ["a vector for each cardholder learned from card usage", "nearest items by it"],
    "categories": ["card usage", "answers to benefits and offers", "profile given by the issuer"],
    "retention": "recent events until the operator's retention time, the audit log three years "
    "or more",
    "rights": [
        "withdraw consent at any time",
        "see and delete each interest",
        "have all data in a common form",
        "have everything erased",
    ],
}
"""What the product itself does with data; an issuer publishes his own words."""


class NoticeBody(Body):
    """A notice in the issuer's own words; a new version asks every cardholder again."""

    version: Label
    purposes: Annotated[tuple[Label, ...], Field(min_length=1, max_length=20)]
    text: Annotated[Localised, Field(description="the whole notice, by locale")]


class NoticeAnswer(BaseModel):
    """The notice in force, and what the product does with data."""

    notice_version: str | None
    published_at: datetime | None
    notice: dict[str, Any] | None
    processing: dict[str, Any]


def notice_routes(
    gate: Gate,
    store: NoticeStore,
    audit: AuditLog,
    clock: Callable[[], datetime],
    body_limit_bytes: int,
) -> Routes:
    """Endpoints of the notice."""
    routes = Routes("notice", gate, body_limit_bytes)

    def get_notice(caller: Caller) -> Any:  # noqa: ANN401
        """Read the notice in force; consents are to its version."""
        return _document(store.current(caller.issuer_id))

    def put_notice(caller: Caller, body: NoticeBody) -> Any:  # noqa: ANN401
        """Publish a notice; consents to another version stop counting with this answer."""
        content = {"purposes": body.purposes, "text": body.text}
        notice = StoredNotice(body.version, content, clock())
        audit.append(
            caller.issuer_id,
            actor=caller.credential_id,
            action="notice_published",
            detail={"version": body.version},
        )
        store.publish(caller.issuer_id, notice)
        return _document(notice)

    at, answers = "/v1/privacy/notice", {200: NoticeAnswer}
    routes.add("GET", at, get_notice, scope="rec:read", answers=answers)
    routes.add("PUT", at, put_notice, scope="privacy:admin", answers=answers)
    return routes


def _document(notice: StoredNotice | None) -> dict[str, Any]:
    return {
        "notice_version": notice.version if notice else None,
        "published_at": notice.published_at if notice else None,
        "notice": notice.content if notice else None,
        "processing": SHIPPED,
    }
