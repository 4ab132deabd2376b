"""The results of a campaign as one page: plots, words and nothing that runs."""

from collections.abc import Mapping
from html import escape
from typing import Any

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.results.effect import Effect
from recsvc.domain.results.plots import Bar, bar_plot, interval_plot

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

STEPS = ("sent", "served", "viewed", "activated", "redeemed")
NAMES = {
    "activated": "activations",
    "redeemed": "redemptions",
    "visits": "visits",
    "spend_minor": "spend (minor units)",
}


def results_page(campaign: Campaign, document: Mapping[str, Any]) -> str:
    """HTML of the issuer's view of results; every word is escaped, nothing is fetched."""
    parts = [
        f"<h1>{escape(campaign.name)}</h1>",
        f"<p>{escape(campaign.state.value)}, as of {escape(str(document['as_of']))}; "
        f"intervals of {document['confidence']:.0%}; "
        f"nothing is told of fewer than {document['minimum']} cardholders.</p>",
        _ratio(document.get("sample_ratio")),
        _funnel(document["treated"], document["holdout"]),
        *_lifts(document.get("lift") or {}),
        _return(document.get("return_on_cost")),
        _parts("By item", document["by_item"]),
        _parts("By segment", document["by_segment"]),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(campaign.name)}</title></head><body>{''.join(parts)}</body></html>"
    )


def _ratio(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None:
        return "<p>No holdout: what the campaign added cannot be told.</p>"
    if ratio["broken"]:
        return "<p><strong>The arms are not what chance would deal; trust no figure.</strong></p>"
    return f"<p>The arms are as dealt (p = {ratio['p_value']:.3f}).</p>"


def _funnel(treated: Mapping[str, Any], holdout: Mapping[str, Any]) -> str:
    """Shares of each arm that came to each step."""
    if not treated.get("cardholders"):
        return "<p>Too few cardholders to tell anything.</p>"
    bars = [
        Bar(step, _share(treated, step), _share(holdout, step))
        for step in STEPS
        if treated.get(step) is not None
    ]
    return bar_plot(bars, "Share of the treated, and of the holdout in grey")


def _share(side: Mapping[str, Any], step: str) -> float:
    return (side.get(step) or 0) / (side.get("cardholders") or 1)


def _lifts(lift: Mapping[str, Any]) -> list[str]:
    """A plot for each measure, as their units differ."""
    plots = []
    for measure, name in NAMES.items():
        reading = lift.get(measure)
        if reading:
            rows = [("read once", _effect(reading["fixed"]))]
            if reading["any_time"]:
                rows.append(("read any time", _effect(reading["any_time"])))
            plots.append(interval_plot(rows, f"Added {name} per cardholder"))
    return plots


def _effect(told: Mapping[str, float]) -> Effect:
    return Effect(told["estimate"], 0.0, told["low"], told["high"], told["p_value"])


def _return(told: Mapping[str, float] | None) -> str:
    if told is None:
        return "<p>No cost yet, so no return.</p>"
    return interval_plot([("spend per cost", _effect(told))], "Added spend for each unit of cost")


def _parts(title: str, parts: list[Mapping[str, Any]]) -> str:
    """Effects on activation of the parts that may be told, and the names of the others."""
    rows = [
        (str(part["name"]), _effect(part["lift"]["activated"]["fixed"]))
        for part in parts
        if not part["withheld"] and part.get("lift", {}).get("activated")
    ]
    hidden = [escape(str(part["name"])) for part in parts if part["withheld"]]
    words = f"<p>Too few to tell: {', '.join(hidden)}.</p>" if hidden else ""
    plot = interval_plot(rows, f"{title}: added activations per cardholder") if rows else ""
    return plot + words
