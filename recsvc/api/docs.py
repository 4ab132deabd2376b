"""The contract as a document and as a page; both work without a network."""

from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Response, abort
from flask_openapi.openapi import OpenAPI

ASSETS = {
    "swagger-ui.css": ("css/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("js/swagger-ui-bundle.js", "text/javascript"),
}
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


def docs_blueprint(app: OpenAPI) -> Blueprint:
    """`/openapi.json`, `/docs` and what the page needs, all out of installed packages."""
    blueprint = Blueprint("docs", __name__)

    def openapi_json() -> Response:
        return Response(orjson.dumps(document_of(app)), content_type="application/json")

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


def document_of(app: OpenAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    document: dict[str, Any] = app.api_doc
    return document


def _packaged(path: str) -> bytes:
    root = files("flask_openapi_swagger").joinpath("templates", "swagger")
    return root.joinpath(*path.split("/")).read_bytes()


def _page(body: str | bytes, content_type: str) -> Response:
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return Response(body, 200, headers, content_type=content_type)
