"""The contract as a document and as a page; both work without a network."""

import functools
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Response, abort
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI

from recsvc.api.http.problems import Problem
from recsvc.api.http.routing import Routes

API_VERSION = "1.0.0"
ASSETS = {
    "swagger-ui.css": ("css/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("js/swagger-ui-bundle.js", "text/javascript"),
}
ABOUT = """Benefits and merchant offers for cardholders of card issuers.

Every endpoint needs `Authorization: Bearer <key>` and the scope that it names as `x-scope`; the key
alone says which issuer asks. What goes wrong is told in one form, `application/problem+json`, with
a `code` and the fields that are wrong. A `POST` that makes or moves something takes an
`Idempotency-Key`: sent again with the same one, it is answered as the first time."""
GROUPS = {
    "recommendations": "For the app: ranked lists with reasons, and given items in order.",
    "items": "For the app: items like one, and whether a cardholder may have it.",
    "events": "For the app: what cardholders did; the next answer knows it.",
    "activations": "For the app: taking an item within its budgets, giving it back, savings.",
    "cardholders": "Profiles and consent, one cardholder at a time.",
    "rights": "For the privacy office: interests, data export, erasure and its receipts.",
    "notice": "For the privacy office: the notice that consent is given to.",
    "catalog": "For marketing: benefits and merchant offers, live within two seconds.",
    "audiences": "For marketing: who would want an item, and at which step the others fall.",
    "campaigns": "For marketing: planning, launching and pausing pushes, and what they earned.",
    "webhooks": "For marketing: where pushes are delivered.",
    "models": "For the data team: published models, which one serves, promotion and rollback.",
    "audit": "For the security office: the chained log of what operators and keys did.",
}
"""What the endpoints of each resource are for, in the order in which the page shows them."""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>recsvc API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = (
    "SwaggerUIBundle({url: '/openapi.json', dom_id: '#page', deepLinking: true,"
    " validatorUrl: null});\n"
)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def docs_blueprint(routes: Sequence[Routes]) -> Blueprint:
    """`/openapi.json`, `/docs` and what the page needs, all out of installed packages.

    The document is made when it is first asked for; serving does without it.
    """
    blueprint = Blueprint("docs", __name__)

    @functools.cache
    def document() -> bytes:
        return orjson.dumps(describe(routes))

    def openapi_json() -> Response:
        return Response(document(), content_type="application/json")

    def page() -> Response:
        return _page(PAGE, "text/html; charset=utf-8")

    def asset(name: str) -> Response:
        if name == "start.js":
            return _page(START, "text/javascript; charset=utf-8")
        if name not in ASSETS:
            abort(404)
        path, media_type = ASSETS[name]
        return _page(_packaged(path), f"{media_type}; charset=utf-8")

    blueprint.add_url_rule("/openapi.json", view_func=openapi_json)
    blueprint.add_url_rule("/docs", view_func=page)
    blueprint.add_url_rule("/docs/<name>", view_func=asset)
    return blueprint


def describe(routes: Sequence[Routes]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these endpoints."""
    scheme = SecurityScheme(
        type="http",
        scheme="bearer",
        description="An API key, `rsk_<key id>_<secret>`, or a token of an identity provider.",
    )
    described = OpenAPI(
        "recsvc",
        info=Info(title="recsvc", version=API_VERSION, description=ABOUT),
        security_schemes={"key": scheme},
        validation_error_model=Problem,
        doc_ui=False,
        static_folder=None,
    )
    described.openapi_version = "3.1.0"
    for one in routes:
        described.register_api(_beside(described.paths, one.described(GROUPS)))
    document: dict[str, Any] = described.api_doc
    document["tags"].sort(key=lambda tag: [*GROUPS].index(tag["name"]))
    return document


def _beside(known: Mapping[str, Any], blueprint: APIBlueprint) -> APIBlueprint:
    """The blueprint with what is already described at its addresses, which it would replace."""
    for path, item in blueprint.paths.items():
        if path in known:
            methods = {name: getattr(item, name) for name in item.model_fields_set}
            blueprint.paths[path] = known[path].model_copy(update=methods)
    return blueprint


def _packaged(path: str) -> bytes:
    root = files("flask_openapi_swagger").joinpath("templates", "swagger")
    return root.joinpath(*path.split("/")).read_bytes()


def _page(body: str | bytes, content_type: str) -> Response:
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return Response(body, 200, headers, content_type=content_type)
