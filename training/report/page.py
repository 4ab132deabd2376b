"""The page: one HTML file that needs no network, no script and no explanation."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from training.contest import PRODUCT
from training.report import plots

TASK_NAMES = {
    "new": "Merchants that are new to the cardholder",
    "repeat": "Merchants he returns to",
    "all": "Any merchant he visits",
}
MB = 1_000_000


def page_of(document: dict[str, Any], drawings: Mapping[str, Markup]) -> str:
    """HTML of a report's document; everything in it is escaped but the drawings."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(percent=_percent, points=_points, whole=_whole)
    template = environment.from_string(
        resources.files("training.report").joinpath("page.html.j2").read_text("utf-8")
    )
    return template.render(
        d=document,
        drawings=drawings,
        names=plots.NAMES,
        task_names=TASK_NAMES,
        product=PRODUCT,
        seconds=sum(stage["seconds"] for stage in document["stages"]),
        peak_mb=max((s["peak_rss_bytes"] for s in document["stages"]), default=0) / MB,
    )


def drawings_of(evaluation: dict[str, Any], points: list[dict[str, Any]]) -> dict[str, Markup]:
    """SVG of every picture there is something to draw for.

    Parameters
    ----------
    evaluation : dict
        As the document has it.
    points : list
        Of the map of merchants; empty where there is none.
    """
    task = evaluation["tasks"][evaluation["judged"]]
    ours = task["models"][PRODUCT]
    drawings = {}
    if task["curves"]:
        drawings["curves"] = plots.curves(task["curves"])
    if task["reliability"]:
        drawings["reliability"] = plots.reliability(task["reliability"])
    if any(m["cardholders"] >= 10 for g in ours["segments"].values() for m in g.values()):
        drawings["segments"] = plots.segments(ours["segments"], ours["recall"])
    if points:
        drawings["map"] = plots.merchant_map(points)
    return {name: Markup(svg) for name, svg in drawings.items()}  # noqa: S704 - vl-convert escapes


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _whole(value: float) -> str:
    return f"{round(value):,}"
