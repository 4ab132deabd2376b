"""Is the process there, may it get requests, and its counters."""

from collections.abc import Callable

import orjson
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from recsvc.metrics import Metrics


def health_blueprint(unready_reasons: Callable[[], tuple[str, ...]], metrics: Metrics) -> Blueprint:
    """`/livez`, `/readyz` and `/metrics`, open to the inside of the network.

    Parameters
    ----------
    unready_reasons : why no requests should come; empty when they may
    metrics : what `/metrics` shows
    """
    blueprint = Blueprint("health", __name__)

    def livez() -> Response:
        return _json({"status": "alive"}, 200)

    def readyz() -> Response:
        reasons = unready_reasons()
        status = "unready" if reasons else "ready"
        return _json({"status": status, "reasons": list(reasons)}, 503 if reasons else 200)

    def show_metrics() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)

    blueprint.add_url_rule("/livez", view_func=livez)
    blueprint.add_url_rule("/readyz", view_func=readyz)
    blueprint.add_url_rule("/metrics", "metrics", view_func=show_metrics)
    return blueprint


def _json(document: dict[str, object], status: int) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")
