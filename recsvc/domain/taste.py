"""What a cardholder's own history says: the cells of the bundle, and what happened since."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from embeddings.cells import Cells, add_cells, signed_sums
from embeddings.interactions import SIGN_OF_STATUS, EventType, EventWeights
from embeddings.vocabulary import ColumnKind, split_column_id
from recsvc.domain.cardholder import CardholderState, Contact
from recsvc.domain.known import Forgotten, day_of, is_news, knows_deletion, untold_of
from recsvc.domain.model import ServingModel


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """A cardholder in the embedding space.

    Parameters
    ----------
    cells : Cells
        His history; keys are column rows, those that only the catalogue mentions included.
    vector : float32, shape (n_factors,); None when nothing of him is known or may be known
    """

    cells: Cells
    vector: NDArray[np.float32] | None = None

    @property
    def last_days(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Column rows and the day of his last purchase on each."""
        return self.cells.keys, self.cells.last_day

    def visits(self) -> dict[int, int]:
        """His visits at each column of his history."""
        return dict(zip(self.cells.keys.tolist(), self.cells.visits.tolist(), strict=True))


def unknown_taste() -> Taste:
    """Taste of one of whom nothing is known, or may be known."""
    none = np.empty(0, np.int32)
    return Taste(Cells(none.astype(np.int64), none.astype(np.float32), none, none))


def taste_of(model: ServingModel, state: CardholderState) -> Taste:
    """What may be known of a cardholder's taste.

    Nothing without his consent. The stored vector when nothing is new; the fold-in of the stored
    history and the new contacts when something is.
    """
    if not state.may_personalise:
        return unknown_taste()
    row = model.bundle.model.cardholders.row(state.cardholder_id) if model.bundle else None
    forgotten = _forgotten(model, state)
    stored = _without(model.bundle, _stored(model.bundle, row), forgotten)
    news = _news(model, state.contacts, forgotten)
    if news is None and forgotten:
        return Taste(stored, _folded(model.bundle, stored))
    if news is None:
        return Taste(stored, _stored_vector(model.bundle, row) if stored.keys.size else None)
    cells = add_cells(stored, news)
    return Taste(cells, _folded(model.bundle, cells))


def _forgotten(model: ServingModel, state: CardholderState) -> Forgotten:
    """Column rows of the interests that he deleted, and when."""
    found = {}
    for column, deleted_at in state.forgotten.items():
        row = model.space.columns.row(*split_column_id(column))
        if row is not None:
            found[row] = deleted_at
    return found


def _without(bundle: Bundle | None, cells: Cells, forgotten: Forgotten) -> Cells:
    """The cells less those whose deletion the bundle was trained without."""
    gone = [row for row, at in forgotten.items() if not knows_deletion(bundle, at)]
    if not gone:
        return cells
    kept = ~np.isin(cells.keys, gone)
    return Cells(cells.keys[kept], cells.strength[kept], cells.visits[kept], cells.last_day[kept])


def _stored(bundle: Bundle | None, row: int | None) -> Cells:
    """Cells of a row of the bundle; none for None."""
    if bundle is None or row is None:
        return unknown_taste().cells
    history = bundle.model.history
    own = history.cells(row)
    return Cells(
        history.rows[own].astype(np.int64),
        np.asarray(history.strength[own]),
        np.asarray(history.visits[own]),
        np.asarray(history.last_day[own]),
    )


def _stored_vector(bundle: Bundle | None, row: int | None) -> NDArray[np.float32] | None:
    if bundle is None or row is None:
        return None
    return np.asarray(bundle.model.factors.cardholders[row])


def _folded(bundle: Bundle | None, cells: Cells) -> NDArray[np.float32] | None:
    """Fold-in of the cells that the bundle has columns for; None when there are none."""
    if bundle is None:
        return None
    trained = cells.keys < len(bundle.model.columns)
    if not trained.any():
        return None
    return bundle.model.factors.fold_in(
        cells.keys[trained].astype(np.int32), cells.strength[trained]
    )


def _news(model: ServingModel, contacts: Sequence[Contact], forgotten: Forgotten) -> Cells | None:
    """Signed sums of what the bundle does not know yet; None when there is nothing."""
    fresh = [contact for contact in contacts if is_news(model.bundle, contact)]
    if not (fresh or forgotten):
        return None
    rule = model.bundle.manifest.rule if model.bundle else EventWeights()
    found = [cell for cell, _ in _found(model, fresh, rule) if cell[0] not in forgotten]
    for untold, rows in untold_of(model.bundle, contacts, forgotten):
        known = _found(model, untold, rule)
        found += [cell for cell, at in known if cell[0] in rows and at > forgotten[cell[0]]]
    if not found:
        return None
    keys, days, weights, counts = zip(*found, strict=True)
    return signed_sums(
        np.array(keys, np.int64),
        np.array(days, np.int32),
        np.array(weights, np.float32),
        np.array(counts, np.int32),
        rule,
        as_of_day=model.bundle.manifest.as_of_day if model.bundle else 0,
    )


Cell = tuple[int, int, float, int]
"""Column row, day, weight and count."""
Found = tuple[Cell, datetime]


def _found(model: ServingModel, contacts: Sequence[Contact], rule: EventWeights) -> Iterator[Found]:
    """What contacts add to cells, and when."""
    yield from _of_purchases(model, contacts, rule)
    yield from _of_items(model, contacts, rule)


def _of_purchases(
    model: ServingModel, contacts: Iterable[Contact], rule: EventWeights
) -> Iterator[Found]:
    """Cell and instant of each card transaction, refunds negative.

    Several events of one transaction are one purchase (approved, then settled) or none (approved,
    then reversed), in whichever order they came.
    """
    weight = rule.of(EventType.TRANSACTION)
    for purchase, sign in _net(c for c in contacts if c.event_type is EventType.TRANSACTION):
        day = day_of(purchase.occurred_at)
        for row in _places(model, purchase):
            yield (row, day, sign * weight, sign), purchase.occurred_at


def _net(contacts: Iterable[Contact]) -> Iterator[tuple[Contact, int]]:
    """One contact a transaction and its sign; transactions that come to nothing left out."""
    by_id: dict[object, list[Contact]] = {}
    for place, contact in enumerate(contacts):
        by_id.setdefault(contact.transaction_id or place, []).append(contact)
    for events in by_id.values():
        signs = {SIGN_OF_STATUS[c.status] for c in events if c.status is not None}
        sign = (1 in signs) - (-1 in signs)
        if sign:
            yield min(events, key=lambda contact: contact.occurred_at), sign


def _places(model: ServingModel, purchase: Contact) -> Iterator[int]:
    """Columns of a purchase: its merchant and its category."""
    columns = model.space.columns
    merchant = columns.row(ColumnKind.MERCHANT, purchase.merchant_id or "")
    category = columns.row(ColumnKind.CATEGORY, purchase.mcc) if purchase.mcc else None
    if merchant is not None:
        yield merchant
        category = model.naming.category_row(merchant) if category is None else category
    if category is not None:
        yield category


def _of_items(
    model: ServingModel, contacts: Iterable[Contact], rule: EventWeights
) -> Iterator[Found]:
    """Cell and instant of what he did with benefits and offers."""
    for contact in contacts:
        weight = rule.of(contact.event_type)
        if contact.event_type is EventType.TRANSACTION or not contact.item_id or weight == 0:
            continue
        row = model.catalog.row(contact.item_id)
        own = model.space.links[row].own if row is not None else None
        if own is not None:
            yield (own, day_of(contact.occurred_at), weight, 1), contact.occurred_at
