"""How an item is shown in a list: the part of it that is the same for everyone is made once."""

from typing import Any, NamedTuple

import orjson

from embeddings.catalog import Benefit, MerchantOffer
from embeddings.catalog.text import in_locale
from recsvc.domain.question import Answer, ServedItem

Item = Benefit | MerchantOffer
Card = dict[str, Any]
MOST_CARDS = 100_000


class _Kept(NamedTuple):
    """A card, and its JSON with a comma in place of the closing brace."""

    item: Item
    card: Card
    opening: bytes


class ItemCards:
    """Cards of items by locale, kept as long as the item itself is served."""

    def __init__(self) -> None:
        self._cards: dict[tuple[int, str], _Kept] = {}

    def of(self, item: Item, locale: str) -> Card:
        """Card of an item; the same object each time, so it must not be changed."""
        return self._kept(item, locale).card

    def with_more(self, item: Item, locale: str, more: dict[str, Any]) -> orjson.Fragment:
        """JSON of a card and of further fields, of which there must be one at least."""
        opening = self._kept(item, locale).opening
        return orjson.Fragment(opening + orjson.dumps(more)[1:])

    def _kept(self, item: Item, locale: str) -> _Kept:
        key = (id(item), locale)
        kept = self._cards.get(key)
        if kept is not None and kept.item is item:
            return kept
        if len(self._cards) >= MOST_CARDS:
            self._cards.clear()
        card = card_of(item, locale)
        opening = orjson.dumps(card, option=orjson.OPT_UTC_Z)[:-1] + b","
        kept = self._cards[key] = _Kept(item, card, opening)
        return kept


def card_of(item: Item, locale: str) -> Card:
    """What a list shows of an item, whoever looks."""
    card: Card = {
        "item_id": item.item_id,
        "kind": item.kind,
        "title": in_locale(item.title, locale),
        "category": item.category,
        "starts_at": item.terms.starts_at,
        "ends_at": item.terms.ends_at,
    }
    if item.kind == "benefit":
        quota = item.quota.model_dump(mode="json") if item.quota else None
        return card | {"benefit_type": item.benefit_type, "quota": quota}
    reward = item.reward.model_dump(mode="json", exclude_none=True)
    return card | {"merchant_id": item.merchant_id, "mcc": item.mcc, "reward": reward}


def answer_document(answer: Answer, cards: ItemCards, locale: str) -> dict[str, Any]:
    """One list as the API shows it."""
    return {
        "request_id": answer.request_id,
        "issuer_id": answer.issuer_id,
        "cardholder_id": answer.cardholder_id,
        "personalised": answer.personalised,
        "model_version": answer.model_version,
        "catalog_version": answer.catalog_version,
        "ranking": answer.ranking,
        "experiment": answer.experiment,
        "requested": answer.requested,
        "returned": len(answer.items),
        "shortfall_reason": answer.shortfall_reason,
        "degraded": answer.degraded,
        "items": [_place_document(place, cards, locale) for place in answer.items],
    }


def _place_document(place: ServedItem, cards: ItemCards, locale: str) -> orjson.Fragment:
    own = {
        "rank": place.rank,
        "score": place.score,
        "source": place.source,
        "activation": place.activation,
        "reasons": [
            {"code": code, "text": text, "evidence": evidence}
            for code, text, evidence in place.reasons
        ],
        "serve_token": place.serve_token,
    }
    return cards.with_more(place.item, locale, own)
