"""The bare Flask route that the recommendation path is measured against."""

from flask import Flask


def application() -> Flask:
    """One route that answers a constant."""
    app = Flask("bare")

    @app.get("/bare")
    def bare() -> dict[str, bool]:
        return {"ok": True}

    return app
