"""Webhooks: register, list, remove, deliver again."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from flask import request
from pydantic import BaseModel, Field

from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.routing import Rendered, Routes, render
from recsvc.api.http.schemas import Body, OutsideId, Parameters
from recsvc.domain.errors import InvalidError
from recsvc.outreach.webhook_client import (
    DeliveryFailedError,
    ForbiddenHostError,
    UnsafeAddressError,
)
from recsvc.stores.outreach.webhooks import Webhook, WebhookStore

SCOPE = "campaigns:write"


class WebhookBody(Body):
    """Where pushes are told."""

    url: Annotated[str, Field(min_length=1, max_length=2_048)]


class WebhookPath(Parameters):
    """The webhook in the address."""

    webhook_id: OutsideId


class ReplayBody(Body):
    """Which push is told again."""

    push_id: OutsideId


class WebhookAnswer(BaseModel):
    """A webhook; its secret is shown once, when it is made."""

    webhook_id: str
    url: str
    disabled: str | None
    secret: str | None = None


class WebhookList(BaseModel):
    """All webhooks of the issuer."""

    webhooks: list[WebhookAnswer]


def webhook_routes(
    gate: Gate,
    store: WebhookStore,
    require_safe: Callable[[str], object],
    once: OnceOnly,
    clock: Callable[[], datetime],
    body_limit_bytes: int,
) -> Routes:
    """Endpoints of webhooks.

    Parameters
    ----------
    require_safe : refuses an address that leads inside, by InvalidError or UnsafeAddressError
    """
    routes = Routes("webhooks", gate, body_limit_bytes)

    def create(caller: Caller, body: WebhookBody) -> Any:  # noqa: ANN401
        """Register an address; the secret in the answer is shown this once."""
        _require_safe(require_safe, body.url)
        return once.run(
            request,
            caller.issuer_id,
            body.model_dump_json().encode(),
            lambda: render(
                Rendered(_document(made := store.add(caller.issuer_id, body.url), made.secret), 201)
            ),
        )

    def list_all(caller: Caller) -> Any:  # noqa: ANN401
        """All webhooks, without their secrets."""
        return {"webhooks": [_document(one, None) for one in store.all(caller.issuer_id)]}

    def remove(caller: Caller, path: WebhookPath) -> Any:  # noqa: ANN401
        """Forget a webhook; nothing more is delivered to it."""
        store.remove(caller.issuer_id, path.webhook_id)
        return Rendered(None, 204)

    def replay(caller: Caller, path: WebhookPath, body: ReplayBody) -> Any:  # noqa: ANN401
        """Deliver a push of the last seven days again, under its own id."""
        store.replay(caller.issuer_id, path.webhook_id, body.push_id, clock())
        return Rendered(None, 204)

    all_, one = "/v1/webhooks", "/v1/webhooks/<string:webhook_id>"
    routes.add("POST", all_, create, scope=SCOPE, answers={201: WebhookAnswer}, more=(409,))
    routes.add("GET", all_, list_all, scope=SCOPE, answers={200: WebhookList})
    routes.add("DELETE", one, remove, scope=SCOPE, answers={204: None})
    routes.add("POST", f"{one}:replay", replay, scope=SCOPE, answers={204: None})
    return routes


def _require_safe(require_safe: Callable[[str], object], url: str) -> None:
    try:
        require_safe(url)
    except ForbiddenHostError:
        raise InvalidError("/url", "leads to a domain that pushes may not leave for") from None
    except UnsafeAddressError:
        raise InvalidError("/url", "leads to an address that is not public") from None
    except DeliveryFailedError:
        raise InvalidError("/url", "has a host name that cannot be resolved") from None


def _document(webhook: Webhook, secret: str | None) -> dict[str, Any]:
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "disabled": webhook.disabled,
        "secret": secret,
    }
