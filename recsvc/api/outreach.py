"""All endpoints of marketers, put together."""

from recsvc.api.audiences import audience_routes
from recsvc.api.campaigns import campaign_routes
from recsvc.api.http.auth import Gate
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.routing import Routes
from recsvc.api.webhooks import webhook_routes
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.webhook_client import WebhookClient
from recsvc.stores.assembly import Stores


def outreach_routes(gate: Gate, outreach: Outreach, stores: Stores) -> tuple[Routes, ...]:
    """Endpoints of audiences, campaigns and webhooks."""
    settings = outreach.settings
    limit = settings.body_limit_bytes
    once = OnceOnly(stores.idempotency)
    require_safe = WebhookClient(hosts=settings.webhook_hosts).require_safe
    return (
        audience_routes(gate, outreach, limit),
        campaign_routes(gate, outreach, once, Cursors(settings.secret_bytes), limit),
        webhook_routes(gate, outreach.webhooks, require_safe, once, outreach.clock, limit),
    )
