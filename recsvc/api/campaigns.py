"""Campaigns: plan, check, launch, pause, cancel, list."""

from typing import Any

from flask import Response, request

from recsvc.api.campaign_bodies import (
    CampaignAnswer,
    CampaignBody,
    CampaignPage,
    CampaignPath,
    CheckAnswer,
)
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.cursors import Cursors
from recsvc.api.http.idempotency import OnceOnly
from recsvc.api.http.problems import FieldFault, ProblemError
from recsvc.api.http.routing import Rendered, Routes, render
from recsvc.api.http.schemas import PageQuery
from recsvc.domain.campaign.campaign import State
from recsvc.outreach.assembly import Outreach
from recsvc.outreach.checking import Check
from recsvc.outreach.launching import CampaignDesk, NotReadyError
from recsvc.stores.outreach.campaign_codec import campaign_document

WRITE = "campaigns:write"


def campaign_routes(
    gate: Gate, outreach: Outreach, once: OnceOnly, cursors: Cursors, body_limit_bytes: int
) -> Routes:
    """Endpoints of campaigns."""
    routes = Routes("campaigns", gate, body_limit_bytes)
    desk = outreach.desk

    def create(caller: Caller, body: CampaignBody) -> Any:  # noqa: ANN401
        """Plan a campaign; nothing is sent before its launch."""
        return once.run(
            request,
            caller.issuer_id,
            body.model_dump_json().encode(),
            lambda: render(
                Rendered(campaign_document(desk.create(caller.issuer_id, body.campaign)), 201)
            ),
        )

    def list_all(caller: Caller, query: PageQuery) -> Any:  # noqa: ANN401
        """Campaigns in order of their ids."""
        after = cursors.open(caller.issuer_id, "campaigns", query.cursor)
        rest = [c for c in desk.all(caller.issuer_id) if after is None or c.campaign_id > after]
        shown, cursor = cursors.page(
            caller.issuer_id, "campaigns", rest, query.limit, lambda campaign: campaign.campaign_id
        )
        return {"campaigns": list(map(campaign_document, shown)), "next_cursor": cursor}

    def get(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """Read a campaign."""
        return campaign_document(desk.get(caller.issuer_id, path.campaign_id))

    def check(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """What a launch would meet: what forbids it, whom it would reach, what it would show."""
        campaign = desk.get(caller.issuer_id, path.campaign_id)
        return _check_document(path.campaign_id, outreach.checker.check(caller.issuer_id, campaign))

    all_, one = "/v1/campaigns", "/v1/campaigns/<string:campaign_id>"
    shown: dict[int, Any] = {200: CampaignAnswer}
    routes.add("POST", all_, create, scope=WRITE, answers={201: CampaignAnswer}, more=(409,))
    routes.add("GET", all_, list_all, scope=WRITE, answers={200: CampaignPage})
    routes.add("GET", one, get, scope=WRITE, answers=shown)
    routes.add(
        "POST", f"{one}:check", check, scope=WRITE, answers={200: CheckAnswer}, budget=Budget.LONG
    )
    _add_moves(routes, desk, once)
    return routes


def _add_moves(routes: Routes, desk: CampaignDesk, once: OnceOnly) -> None:
    """Endpoints that move a campaign along its life."""

    def launch(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """Let a campaign go live, or resume it."""

        def answer() -> Response:
            try:
                return render(campaign_document(desk.launch(caller.issuer_id, path.campaign_id)))
            except NotReadyError as refused:
                raise _not_ready(refused) from None

        return once.run(request, caller.issuer_id, b"", answer)

    def pause(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """Stop sending for a while; what has not left waits."""
        return _moved(caller, path, State.PAUSED)

    def cancel(caller: Caller, path: CampaignPath) -> Any:  # noqa: ANN401
        """Stop sending for good."""
        return _moved(caller, path, State.CANCELLED)

    def _moved(caller: Caller, path: CampaignPath, state: State) -> Response:
        return once.run(
            request,
            caller.issuer_id,
            b"",
            lambda: render(campaign_document(desk.move(caller.issuer_id, path.campaign_id, state))),
        )

    for word, view in (("launch", launch), ("pause", pause), ("cancel", cancel)):
        rule = f"/v1/campaigns/<string:campaign_id>:{word}"
        shown: dict[int, Any] = {200: CampaignAnswer}
        routes.add(
            "POST", rule, view, scope=WRITE, answers=shown, more=(409, 412), budget=Budget.LONG
        )


def _check_document(campaign_id: str, check: Check) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "blockers": [{"code": one.code.value, "about": one.about} for one in check.blockers],
        "notices": [{"code": one.code.value, "about": one.about} for one in check.notices],
        "projected_reach": check.reach if isinstance(check.reach, int) else None,
        "projected_most_cost": check.most_cost and check.most_cost.model_dump(),
        "detectable_difference": check.detectable,
        "baseline_rate": check.baseline.rate,
        "baseline_assumed": check.baseline.is_assumed,
        "cardholders_needed": check.needed,
    }


def _not_ready(refused: NotReadyError) -> ProblemError:
    faults = tuple(
        FieldFault(
            pointer=one.pointer(refused.campaign.item_ids),
            code=one.code.value,
            message="Forbids the launch; mend it and launch again.",
        )
        for one in refused.findings
    )
    return ProblemError(409, "not_launchable", "Something forbids the launch.", errors=faults)
