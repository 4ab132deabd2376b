"""How an item is shown in a list: the part of it that is the same for everyone is made once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from embeddings.catalog import Item
from embeddings.catalog.text import in_locale
from recsvc.domain.cardholder import Activation
from recsvc.domain.question import Answer, Reason, ServedItem, Source

Card = dict[str, Any]
MOST_CARDS = 100_000
WORDS = {word: word.value.encode() for word in (*Source, *Activation)}
"""Plain texts of words that stand in each place; spelling an enumeration's costs several times."""


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

    def openings(self, items: Sequence[Item], locale: str) -> list[bytes]:
        """JSON of cards with a comma in place of the closing brace, for what follows."""
        return [self._kept(item, locale).opening for item in items]

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
        "items": _places(answer.items, cards, locale),
    }


def _places(places: Sequence[ServedItem], cards: ItemCards, locale: str) -> list[orjson.Fragment]:
    """JSON of each place; reasons that several of them share are spelled once.

    Source, activation and token are words without anything to escape.
    """
    scores = orjson.dumps([place.score for place in places])[1:-1].split(b",")
    spelled: dict[int, bytes] = {}
    found = []
    openings = cards.openings([place.item for place in places], locale)
    for opening, score, (rank, _, _, _, source, stands, reasons, token, _) in zip(
        openings, scores, places, strict=False
    ):
        said = spelled.get(id(reasons))
        if said is None:
            said = spelled[id(reasons)] = _spelled(reasons, spelled)
        own = (
            b'%b"rank":%d,"score":%b,"source":"%b","activation":"%b","reasons":%b,"serve_token":"%b"}'
            % (opening, rank, score, WORDS[source], WORDS[stands], said, token.encode())
        )
        found.append(orjson.Fragment(own))
    return found


def _spelled(reasons: Sequence[Reason], spelled: dict[int, bytes]) -> bytes:
    """JSON of the reasons of a place; each is spelled once a list.

    Parameters
    ----------
    reasons : they, and those spelled before, live at least as long as the list
    spelled : JSON by identity of what was spelled; changed
    """
    found = []
    for reason in reasons:
        said = spelled.get(id(reason))
        if said is None:
            code, text, evidence = reason
            document = {"code": code, "text": text, "evidence": evidence}
            said = spelled[id(reason)] = orjson.dumps(document)
        found.append(said)
    return b"[%b]" % b",".join(found)
