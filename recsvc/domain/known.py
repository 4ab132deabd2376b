"""What a bundle was trained on: which contacts it has, and of which deletions it was told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from embeddings.bundle import Bundle
from recsvc.domain.cardholder import Contact
from recsvc.domain.moment import microseconds

DAY_MICROSECONDS = 86_400_000_000
Forgotten = Mapping[int, datetime]
"""Column rows of the interests that a cardholder deleted, and when."""


def is_news(bundle: Bundle | None, contact: Contact) -> bool:
    """Whether a bundle was trained without this contact.

    By its place in the event stream when the bundle says how far it read, else by its date.
    """
    if bundle is None:
        return True
    through = bundle.manifest.events_through
    if through is not None and contact.position is not None:
        return stream_position(contact.position) > stream_position(through)
    return contact.occurred_at >= bundle.manifest.window.ends_at


def stream_position(text: str) -> tuple[int, int]:
    """``milliseconds-number`` as two numbers that compare in order of the stream."""
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number or 0)


def knows_deletion(bundle: Bundle | None, deleted_at: datetime) -> bool:
    """Whether a bundle was trained in the knowledge of a deletion.

    What it has of the column is then from the days after. A bundle that knew nothing of it mixes
    before and after, which nobody can part, so none of it may count.
    """
    through = bundle.manifest.interests_deleted_through if bundle else None
    return through is not None and deleted_at <= through


def untold_of(
    bundle: Bundle | None, contacts: Sequence[Contact], forgotten: Forgotten
) -> Iterator[tuple[list[Contact], set[int]]]:
    """Contacts that a bundle's cells of deleted columns do not have, with the columns meant.

    A bundle that knew nothing of a deletion has nothing of the column that counts. One that knew
    of it left out the whole day of the deletion, whatever came after it on that day.
    """
    rows_of: dict[int | None, set[int]] = {}
    for row, deleted_at in forgotten.items():
        day = day_of(deleted_at) if knows_deletion(bundle, deleted_at) else None
        rows_of.setdefault(day, set()).add(row)
    for day, rows in rows_of.items():
        yield [c for c in contacts if not _has(bundle, c, day)], rows


def _has(bundle: Bundle | None, contact: Contact, day: int | None) -> bool:
    """Whether a bundle has a contact with a column of which it left out all until a day."""
    return day is not None and day_of(contact.occurred_at) > day and not is_news(bundle, contact)


def day_of(at: datetime) -> int:
    """UTC day of an instant, counted from 1970-01-01."""
    return microseconds(at) // DAY_MICROSECONDS
