"""Pictures of the report: Vega-Lite by altair, drawn to SVG here, so the page needs no script."""

from typing import Any

import altair as alt
import vl_convert

from training.contest import CURRENT, FREQUENCY, POPULAR, PRODUCT, VECTORS

NAMES = {
    PRODUCT: "this model",
    VECTORS: "its vectors alone",
    POPULAR: "most popular",
    FREQUENCY: "own habits",
    CURRENT: "model in use",
}
COLOURS = {
    "this model": "#0f766e",
    "its vectors alone": "#5eead4",
    "most popular": "#a8a29e",
    "own habits": "#d97706",
    "model in use": "#6366f1",
}
PALETTE = "tableau20"


def svg(chart: Any) -> str:  # noqa: ANN401 - altair's many kinds of charts
    """SVG of a chart."""
    styled = chart.configure(
        background="transparent",
        font="system-ui, sans-serif",
        padding={"left": 24, "top": 5, "right": 5, "bottom": 5},
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            gridColor="#f0efed",
            domainColor="#a8a29e",
            tickColor="#a8a29e",
            labelColor="#57534e",
            titleColor="#57534e",
            titleFontWeight="normal",
        ),
    )
    drawn: str = vl_convert.vegalite_to_svg(styled.to_json())
    return drawn


def curves(points: list[dict[str, Any]]) -> str:
    """Recall against the length of the list, a line for each model, the best one's name first."""
    named = [{**p, "model": NAMES.get(p["model"], p["model"])} for p in points]
    last = {p["model"]: p["recall"] for p in named}
    shown = sorted(last, key=lambda model: (-last[model], model))
    colours = alt.Scale(domain=shown, range=[COLOURS.get(model, "#78716c") for model in shown])
    lines = (
        alt.Chart(alt.Data(values=named))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("k:Q", title="length of the list", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("recall:Q", title="share of his merchants found", axis=alt.Axis(format="%")),
            color=alt.Color(
                "model:N", scale=colours, legend=alt.Legend(title=None, orient="top", columns=3)
            ),
        )
    )
    return svg(lines.properties(width=400, height=250))


def segments(groups: dict[str, dict[str, dict[str, Any]]], overall: float) -> str:
    """Recall of each group with its interval; the line is everyone's."""
    values = [
        {"group": f"{grouping}: {label}", "grouping": grouping, **means}
        for grouping, labels in groups.items()
        for label, means in labels.items()
        if means["cardholders"] >= 10
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("group:N", title=None, sort=None, axis=alt.Axis(labelLimit=220))
    )
    bars = base.mark_bar(color="#5eead4", height=12).encode(
        x=alt.X("recall:Q", title="share of his merchants found", axis=alt.Axis(format="%"))
    )
    spans = base.mark_rule(color="#0f766e", strokeWidth=1.5).encode(
        x="recall_low:Q", x2="recall_high:Q"
    )
    line = (
        alt.Chart(alt.Data(values=[{"all": overall}]))
        .mark_rule(strokeDash=[4, 3], color="#57534e")
        .encode(x="all:Q")
    )
    return svg((bars + spans + line).properties(width=640, height={"step": 20}))


def reliability(points: list[dict[str, float]]) -> str:
    """What a score promised against what came of it; on the line is as promised."""
    most = max(*(p["promised"] for p in points), *(p["kept"] for p in points), 1e-6) * 1.08
    scale = alt.Scale(domain=[0, most])
    line = (
        alt.Chart(alt.Data(values=[{"v": 0}, {"v": most}]))
        .mark_line(strokeDash=[4, 3], color="#a8a29e")
        .encode(x=alt.X("v:Q", scale=scale), y=alt.Y("v:Q", scale=scale))
    )
    percent = alt.Axis(format="%")
    dots = (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=alt.OverlayMarkDef(size=70, filled=True), color="#0f766e")
        .encode(
            x=alt.X("promised:Q", title="hit rate the score promised", scale=scale, axis=percent),
            y=alt.Y("kept:Q", title="hit rate that came", scale=scale, axis=percent),
        )
    )
    return svg((line + dots).properties(width=280, height=260))


def merchant_map(points: list[dict[str, Any]]) -> str:
    """Merchants in two dimensions; near means visited by the same people."""
    famous = sorted(points, key=lambda p: (-p["cardholders"], p["name"]))
    top = [p["category"] for p in famous]
    shown = sorted(set(top), key=lambda c: (-top.count(c), c))[:12]
    values = [
        {**p, "category": p["category"] if p["category"] in shown else "others"} for p in famous
    ]
    blank = alt.Axis(labels=False, ticks=False, grid=False, domain=False, title=None)
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("x:Q", axis=blank), y=alt.Y("y:Q", axis=blank)
    )
    dots = base.mark_circle(opacity=0.75).encode(
        size=alt.Size("cardholders:Q", legend=None, scale=alt.Scale(range=[15, 320])),
        color=alt.Color(
            "category:N",
            scale=alt.Scale(scheme=PALETTE),
            legend=alt.Legend(title=None, labelLimit=150, symbolOpacity=1),
        ),
    )
    names = (
        alt.Chart(alt.Data(values=_apart(values)))
        .mark_text(dy=-10, fontSize=10, color="#44403c", limit=140)
        .encode(x="x:Q", y="y:Q", text="name:N")
    )
    return svg((dots + names).properties(width=820, height=560))


NAME_WIDE, NAME_HIGH = 0.23, 0.035
"""Share of the drawn points' extent that a name of 140 by 12 pixels takes."""


def _apart(points: list[dict[str, Any]], most: int = 30) -> list[dict[str, Any]]:
    """The most famous merchants whose names do not lie on one another."""
    if not points:
        return []
    wide = max(p["x"] for p in points) - min(p["x"] for p in points) or 1.0
    high = max(p["y"] for p in points) - min(p["y"] for p in points) or 1.0
    named: list[dict[str, Any]] = []
    for point in points:
        across = [abs(point["x"] - other["x"]) / wide for other in named]
        along = [abs(point["y"] - other["y"]) / high for other in named]
        if all(x > NAME_WIDE or y > NAME_HIGH for x, y in zip(across, along, strict=True)):
            named.append(point)
        if len(named) == most:
            break
    return named
