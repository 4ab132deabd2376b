"""Lists for one cardholder, for up to a hundred, and given items in order."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from embeddings.catalog import Channel, ItemKind
from embeddings.catalog.text import Label
from recsvc.api.answers import BatchAnswer, RankingAnswer, RecommendationAnswer
from recsvc.api.cards import ItemCards, answer_document
from recsvc.api.desk import Desk
from recsvc.api.http.auth import Caller, Gate
from recsvc.api.http.budgets import Budget
from recsvc.api.http.express import Asked
from recsvc.api.http.routing import Routes
from recsvc.api.http.schemas import (
    WHOLE_NUMBER,
    YES_OR_NO,
    Body,
    CardholderPath,
    OutsideId,
    Parameters,
)
from recsvc.domain.eligibility.circumstances import BOTH_KINDS
from recsvc.domain.question import MAX_LIMIT, MAX_RANKED, Question, Ranking

MOST_CARDHOLDERS = 100
MOST_EXCLUDED = 500
Locale = Literal["zh-CN", "en"]
READ = "rec:read"
EACH = Field(max_length=2, description="repeatable; both unless given")


class RecommendationQuery(Parameters):
    """What kind of list is wanted."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="most items"), WHOLE_NUMBER] = 10
    kind: Annotated[tuple[ItemKind, ...], EACH] = ()
    placement: Annotated[OutsideId | None, Field(description="where it will be shown")] = None
    channel: Channel | None = None
    city: Annotated[Label | None, Field(description="where the cardholder is now")] = None
    category: Label | None = None
    exclude: Annotated[
        tuple[OutsideId, ...], Field(max_length=MOST_EXCLUDED, description="repeatable item id")
    ] = ()
    strict: Annotated[bool, Field(description="no popular or new filler"), YES_OR_NO] = False
    locale: Locale = "zh-CN"


class BatchBody(Body):
    """Lists for several cardholders, all of one kind."""

    cardholder_ids: Annotated[
        tuple[OutsideId, ...], Field(min_length=1, max_length=MOST_CARDHOLDERS)
    ]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 10
    kind: Annotated[tuple[ItemKind, ...], EACH] = ()
    placement: OutsideId | None = None
    channel: Channel | None = None
    city: Label | None = None
    category: Label | None = None
    exclude: Annotated[tuple[OutsideId, ...], Field(max_length=MOST_EXCLUDED)] = ()
    strict: bool = False
    locale: Locale = "zh-CN"

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({*self.cardholder_ids}) != len(self.cardholder_ids):
            raise ValueError("cardholder_ids: one comes twice; name each once")
        return self


class RankingBody(Body):
    """Items that are to be put in order for a cardholder."""

    cardholder_id: OutsideId
    item_ids: Annotated[tuple[OutsideId, ...], Field(min_length=1, max_length=MAX_RANKED)]
    channel: Channel | None = None
    city: Label | None = None


def recommendation_routes(gate: Gate, desk: Desk, body_limit_bytes: int) -> Routes:
    """Endpoints that recommend and rank."""
    routes = Routes("recommendations", gate, body_limit_bytes)
    cards = ItemCards()

    def recommend(
        caller: Caller, path: CardholderPath, query: RecommendationQuery, request_id: str
    ) -> Any:  # noqa: ANN401
        """Benefits and merchant offers for a cardholder, best first, with reasons."""
        question = question_of(query, path.cardholder_id, request_id)
        return answer_document(desk.recommend(caller.issuer_id, question), cards, query.locale)

    def recommend_together(issuer_id: str, asked: Sequence[Asked]) -> Iterator[object]:
        """The same for several requests at once."""
        questions = [
            question_of(one.query, one.path.cardholder_id, one.request_id) for one in asked
        ]
        answers = desk.recommend_each(issuer_id, questions)
        for one, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Exception):
                yield answer
            else:
                yield answer_document(answer, cards, one.query.locale)

    def recommend_many(caller: Caller, body: BatchBody, request_id: str) -> Any:  # noqa: ANN401
        """The same for up to a hundred cardholders, all by one model."""
        questions = [
            question_of(body, cardholder_id, f"{request_id[:120]}.{number}")
            for number, cardholder_id in enumerate(body.cardholder_ids, 1)
        ]
        answers = desk.recommend_many(caller.issuer_id, questions)
        documents = [answer_document(answer, cards, body.locale) for answer in answers]
        return {"request_id": request_id, "results": documents}

    def rank(caller: Caller, body: RankingBody, request_id: str) -> Any:  # noqa: ANN401
        """Given items in order for a cardholder; every reason against those he may not have."""
        question = Question(
            request_id=request_id,
            cardholder_id=body.cardholder_id,
            channel=body.channel,
            city=body.city,
        )
        ranking = desk.rank(caller.issuer_id, question, body.item_ids)
        return ranking_document(ranking, question)

    one = "/v1/cardholders/<cardholder_id>/recommendations"
    many = "/v1/recommendations:batch"
    routes.add(
        "GET",
        one,
        recommend,
        scope=READ,
        answers={200: RecommendationAnswer},
        budget=Budget.QUICK,
        together=recommend_together,
    )
    routes.add(
        "POST", many, recommend_many, scope=READ, answers={200: BatchAnswer}, budget=Budget.QUICK
    )
    routes.add(
        "POST", "/v1/rankings", rank, scope=READ, answers={200: RankingAnswer}, budget=Budget.QUICK
    )
    return routes


def ranking_document(ranking: Ranking, question: Question) -> dict[str, Any]:
    """Ranked and refused items as the API shows them."""
    return {
        "request_id": question.request_id,
        "cardholder_id": question.cardholder_id,
        "personalised": ranking.personalised,
        "model_version": ranking.model_version,
        "catalog_version": ranking.catalog_version,
        "ranked": ranking.ranked,
        "refused": ranking.refused,
        "degraded": ranking.degraded,
    }


def question_of(
    asked: RecommendationQuery | BatchBody, cardholder_id: str, request_id: str
) -> Question:
    """The domain's question of parsed parameters."""
    return Question(
        request_id=request_id,
        cardholder_id=cardholder_id,
        limit=asked.limit,
        kinds=frozenset(asked.kind) or BOTH_KINDS,
        placement=asked.placement,
        channel=asked.channel,
        city=asked.city,
        category=asked.category,
        exclude=frozenset(asked.exclude),
        strict=asked.strict,
        locale=asked.locale,
    )
