"""Questions about one item: what is like it, and whether a cardholder may have it."""

from typing import Annotated, Any

from flask import g
from pydantic import Field

from embeddings.catalog import Channel
from embeddings.catalog.text import Label
from recsvc.api.answers import EligibilityAnswer, SimilarAnswer
from recsvc.api.cards import ItemCards
from recsvc.api.desk import Desk
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import WHOLE_NUMBER, CardholderItemPath, ItemPath, Parameters
from recsvc.api.recommendations import Locale
from recsvc.domain.eligibility.refusal import Refusal
from recsvc.domain.errors import NotFoundError
from recsvc.domain.question import MAX_LIMIT, Question

READ = "rec:read"


class SimilarQuery(Parameters):
    """How many, and in which language."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), WHOLE_NUMBER] = 10
    locale: Locale = "zh-CN"


class EligibilityQuery(Parameters):
    """Where the cardholder is when he asks."""

    channel: Channel | None = None
    city: Label | None = None


def item_routes(gate: Gate, desk: Desk, body_limit_bytes: int) -> Routes:
    """Endpoints about one item."""
    routes = Routes("items", gate, body_limit_bytes)
    cards = ItemCards()

    def similar(caller: Caller, path: ItemPath, query: SimilarQuery) -> Any:  # noqa: ANN401
        """Live items most like an item."""
        found = desk.similar(caller.issuer_id, path.item_id, query.limit)
        shown = [{**cards.of(one.item, query.locale), "score": one.score} for one in found]
        return {"item_id": path.item_id, "items": shown}

    def eligibility(caller: Caller, path: CardholderItemPath, query: EligibilityQuery) -> Any:  # noqa: ANN401
        """Whether a cardholder may have an item now, and every reason if not."""
        question = Question(
            request_id=g.request_id,
            cardholder_id=path.cardholder_id,
            channel=query.channel,
            city=query.city,
        )
        refusals = desk.refusals(caller.issuer_id, question, path.item_id)
        if Refusal.UNKNOWN_ITEM in refusals:
            raise NotFoundError
        return {
            "cardholder_id": path.cardholder_id,
            "item_id": path.item_id,
            "eligible": not refusals,
            "refusals": refusals,
        }

    like = "/v1/items/<item_id>/similar"
    may = "/v1/cardholders/<cardholder_id>/eligibility/<item_id>"
    routes.add("GET", like, similar, scope=READ, answers={200: SimilarAnswer}, budget=Budget.QUICK)
    routes.add(
        "GET", may, eligibility, scope=READ, answers={200: EligibilityAnswer}, budget=Budget.QUICK
    )
    return routes
