"""One request with its answer, and what the card usage behind it says."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from embeddings.bundle import Bundle
from embeddings.vocabulary import ColumnKind, split_column_id

SHOWN_MERCHANTS = 6
SHOWN_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Client:
    """A caller with a key.

    Parameters
    ----------
    base : str    e.g. ``http://127.0.0.1:8080``
    key : str
    """

    base: str
    key: str

    def ask(self, path: str) -> dict[str, Any]:
        """Decoded answer of a GET."""
        return self._send("GET", path, None)

    def put(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Decoded answer of a PUT."""
        return self._send("PUT", path, document)

    def _send(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own http address
            self.base + path,
            method=method,
            data=None if document is None else orjson.dumps(document),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            decoded: dict[str, Any] = orjson.loads(answer.read())
        return decoded


@dataclass(frozen=True, slots=True)
class Asked:
    """How the demo asks.

    Parameters
    ----------
    client : Client
    locale : ``zh-CN`` or ``en``
    gives_consent : bool
        Record consent for each example first: what a cardholder of real usage would have to say
        himself before he is profiled.
    """

    client: Client
    locale: str
    gives_consent: bool

    def path(self, cardholder_id: str) -> str:
        """Address of one cardholder's first screen."""
        return (
            f"/v1/cardholders/{cardholder_id}/recommendations"
            f"?limit={SHOWN_ITEMS}&locale={self.locale}"
        )

    def personal_answers(self, bundle: Bundle, wanted: int, now: datetime) -> list[dict[str, Any]]:
        """Answers of up to so many example cardholders that were personalised."""
        found: list[dict[str, Any]] = []
        for cardholder_id in example_cardholders(bundle, 40 * wanted):
            if self.gives_consent:
                self._consent(cardholder_id, now)
            answer = self.client.ask(self.path(cardholder_id))
            found += [answer] if answer["personalised"] else []
            if len(found) == wanted:
                break
        return found

    def _consent(self, cardholder_id: str, now: datetime) -> None:
        self.client.put(
            f"/v1/cardholders/{cardholder_id}/consent",
            {
                "personalisation": True,
                "marketing": {},
                "purpose_version": "demo",
                "recorded_at": now.astimezone(UTC).isoformat(),
            },
        )


def example_cardholders(bundle: Bundle, wanted: int) -> list[str]:
    """Cardholders with a history one can read: not the thinnest, not the busiest, ties by id."""
    sizes = np.diff(bundle.model.history.indptr)
    order = np.argsort(sizes, kind="stable")
    places = np.linspace(0.5, 0.9, wanted) * max(len(order) - 1, 0)
    return sorted({bundle.model.cardholders.id(int(order[int(place)])) for place in places})


def story_lines(bundle: Bundle, answer: dict[str, Any]) -> Iterator[str]:
    """What a card says and what its holder is offered for it."""
    yield f"What the card of {answer['cardholder_id']} says:"
    yield from card_story(bundle, answer["cardholder_id"])
    yield "What it is offered, and why:"
    yield from answer_lines(answer)


def card_story(bundle: Bundle, cardholder_id: str) -> Iterator[str]:
    """The merchants a cardholder visits most, as the bundle knows them: a line each, ties by id."""
    row = bundle.model.cardholders.row(cardholder_id)
    if row is None:
        yield "  (the model does not know this cardholder)"
        return
    cells = bundle.model.history.cells(row)
    visits = bundle.model.history.visits[cells]
    columns = bundle.model.history.rows[cells]
    named = [(*split_column_id(bundle.model.columns.id(int(one))), int(one)) for one in columns]
    merchants = sorted(
        (-int(count), outside_id, column)
        for count, (kind, outside_id, column) in zip(visits, named, strict=True)
        if kind is ColumnKind.MERCHANT
    )
    for count, outside_id, column in merchants[:SHOWN_MERCHANTS]:
        yield f"  {-count:>4} x {bundle.model.labels[column] or outside_id}"


def answer_lines(answer: dict[str, Any]) -> Iterator[str]:
    """An answer as a person reads it: title, then the reasons."""
    for item in answer["items"]:
        yield f"  {item['rank']}. {item['title']}  ({item['source']})"
        yield from (f"       {reason['text']}" for reason in item["reasons"])
