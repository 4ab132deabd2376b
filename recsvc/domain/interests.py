"""What the service believes a cardholder likes, with the evidence; he may delete each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from embeddings.vocabulary import ColumnKind, column_id
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import EPOCH_DATE
from recsvc.domain.taste import taste_of

SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class Interest:
    """One thing that moves his lists.

    Parameters
    ----------
    tag : str                kind and id, e.g. ``merchant.m_12``
    kind : ColumnKind
    outside_id : str
    label : str              as people know it; empty where no name was given
    visits : int             purchases less refunds, or contacts with an item
    last_on : date           of the last one, UTC
    share : float            of all his strength, within [0, 1]
    """

    tag: str
    kind: ColumnKind
    outside_id: str
    label: str
    visits: int
    last_on: date
    share: float


def interests_of(model: ServingModel, state: CardholderState) -> tuple[Interest, ...]:
    """Everything that his lists are made from, the strongest first, ties by tag.

    Nothing without his consent: then nothing is used.
    """
    cells = taste_of(model, state).cells
    whole = float(cells.strength.sum()) or 1.0
    found = [
        _interest(model, column, float(strength) / whole, int(visits), int(day))
        for column, strength, visits, day in zip(
            cells.keys.tolist(),
            cells.strength.tolist(),
            cells.visits.tolist(),
            cells.last_day.tolist(),
            strict=True,
        )
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, one.tag)))


def _interest(model: ServingModel, column: int, share: float, visits: int, day: int) -> Interest:
    name = model.naming.of(column)
    return Interest(
        tag_of(name.kind, name.outside_id),
        name.kind,
        name.outside_id,
        name.label,
        visits,
        EPOCH_DATE + timedelta(days=max(day, 0)),
        round(share, 4),
    )


def tag_of(kind: ColumnKind, outside_id: str) -> str:
    """Name of an interest as it stands in an address."""
    return f"{kind.value}{SEPARATOR}{outside_id}"


def column_of(tag: str) -> str | None:
    """Column that a tag means; None for what is no tag."""
    kind, _, outside_id = tag.partition(SEPARATOR)
    if kind not in set(_kinds()) or not outside_id:
        return None
    return column_id(ColumnKind(kind), outside_id)


def _kinds() -> Iterator[str]:
    return (kind.value for kind in ColumnKind)
