"""Whom an audience would reach, whom a campaign addresses, and what it earned."""

from collections.abc import Iterator
from typing import Any

from flask import Response

from embeddings.catalog import Channel
from recsvc.api.campaign_bodies import (
    AudienceQuery,
    CampaignPath,
    EstimateAnswer,
    EstimateBody,
    ResultsAnswer,
    ResultsQuery,
)
from recsvc.api.exports.lines import csv_lines, ndjson_lines
from recsvc.api.exports.parquet import parquet_parts
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.routing import NDJSON, Routes
from recsvc.api.results.page import results_page
from recsvc.api.results.parts import policy
from recsvc.domain.audience.disclosure import Answer, Withheld
from recsvc.domain.campaign.campaign import Audience, Campaign
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.estimating import Estimate
from recsvc.outreach.selection import Asked
from recsvc.stores.outreach.rosters import Meant

WRITE, EXPORT = "campaigns:write", "audiences:export"
COLUMNS = ("cardholder_id", "item_id", "segment")


def audience_routes(gate: Gate, outreach: Outreach, body_limit_bytes: int) -> Routes:
    """Endpoints that count, list and review cardholders."""
    routes = Routes("audiences", gate, body_limit_bytes)
    desk, checker = outreach.desk, outreach.checker

    def estimate(caller: Caller, body: EstimateBody) -> Any:  # noqa: ANN401
        """How many cardholders an item might be told to, rounded, and where the others fall."""
        found = outreach.estimator.estimate(caller.issuer_id, _asked(outreach, caller, body))
        return _estimate_document(body.item_id, found, outreach.estimator.minimum)

    def audience(caller: Caller, path: CampaignPath, query: AudienceQuery) -> Any:  # noqa: ANN401
        """Cardholders whom a campaign addresses, without the holdout; NDJSON, csv or parquet."""
        return _audience(desk.audience(caller.issuer_id, path.campaign_id), query.format)

    def results(caller: Caller, path: CampaignPath, query: ResultsQuery) -> Any:  # noqa: ANN401
        """What a campaign earned, against its holdout."""
        return _results(outreach, caller, path.campaign_id, query.view)

    def page(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """The results as a page with plots; without scripts."""
        campaign = desk.get(caller.issuer_id, path.campaign_id)
        document = _results(outreach, caller, path.campaign_id, "issuer")
        html = results_page(campaign, document, checker.currency(caller.issuer_id, campaign))
        headers = {"Content-Security-Policy": policy(), "X-Content-Type-Options": "nosniff"}
        return Response(html, 200, headers, content_type="text/html; charset=utf-8")

    one = "/v1/campaigns/<string:campaign_id>"
    routes.add(
        "POST",
        "/v1/audiences:estimate",
        estimate,
        scope=WRITE,
        answers={200: EstimateAnswer},
        budget=Budget.LONG,
    )
    routes.add(
        "GET",
        f"{one}/audience",
        audience,
        scope=EXPORT,
        answers={200: None},
        more=(409,),
        budget=Budget.LONG,
    )
    routes.add(
        "GET",
        f"{one}/results",
        results,
        scope=WRITE,
        answers={200: ResultsAnswer},
        budget=Budget.LONG,
    )
    routes.add(
        "GET", f"{one}/results/page", page, scope=WRITE, answers={200: None}, budget=Budget.LONG
    )
    return routes


def _asked(outreach: Outreach, caller: Caller, body: EstimateBody) -> Asked:
    return Asked(
        item_ids=(body.item_id,),
        channel=Channel(body.channel),
        audience=Audience(body.size, body.min_score, body.segments, body.filter),
        zone=outreach.ground.zone,
        zones=outreach.ground.zones,
        holdouts=(outreach.book.everywhere(caller.issuer_id),),
        filter_pointer="/filter",
    )


def _estimate_document(item_id: str, found: Estimate, minimum: int) -> dict[str, Any]:
    counts: dict[str, Answer] = {"matched": found.matched}
    counts |= {step.value: answer for step, answer in found.excluded.items()}
    told = {k: None if isinstance(v, Withheld) else v for k, v in counts.items()}
    return {
        "item_id": item_id,
        "matched": told.pop("matched"),
        "excluded": told,
        "withheld": {k: v.value for k, v in counts.items() if isinstance(v, Withheld)},
        "rounded": True,
        "minimum": minimum,
        "sample_share": found.sample_share,
    }


def _audience(meant: Iterator[Meant], form: str) -> Response:
    rows = ((one.cardholder_id, one.item_id, one.segment) for one in meant)
    lines: Iterator[Any]
    if form == "csv":
        lines, kind = csv_lines(COLUMNS, rows), "text/csv; charset=utf-8"
    elif form == "parquet":
        lines, kind = parquet_parts(COLUMNS, rows), "application/vnd.apache.parquet"
    else:
        lines = iter(ndjson_lines(dict(zip(COLUMNS, row, strict=True)) for row in rows))
        kind = NDJSON
    headers = {"Content-Disposition": f'attachment; filename="audience.{form}"'}
    return Response(lines, 200, headers, content_type=kind)


def _results(outreach: Outreach, caller: Caller, campaign_id: str, view: str) -> dict[str, Any]:
    campaign: Campaign = outreach.desk.get(caller.issuer_id, campaign_id)
    found = outreach.reviewer.results(caller.issuer_id, campaign)
    return {
        "campaign_id": campaign_id,
        "state": campaign.state.value,
        "as_of": found["as_of"],
        "fresh_until": found.get("fresh_until"),
        "past_retention": found.get("past_retention", False),
        **found[view],
    }
