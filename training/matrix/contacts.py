"""A contact as it lies on disk: one dated event between a cardholder and a column."""

import numpy as np
from numpy.typing import NDArray

from embeddings.interactions import EventType, EventWeights

CONTACT = np.dtype(
    [
        ("cardholder", "<i4"),
        ("column", "<i4"),
        ("category", "<i4"),
        ("day", "<i4"),
        ("product", "<i2"),
        ("city", "<i2"),
        ("segment", "<i2"),
        ("kind", "<i2"),
    ]
)
"""One contact. ``kind`` counts into ``KINDS``; ``category`` is a column; ``product``, ``city`` and
``segment`` count into the survey's groups; each of the four is -1 where it is not known."""

MAX_GROUPS = 32_767

KINDS: tuple[tuple[EventType, int], ...] = (
    (EventType.TRANSACTION, 1),
    (EventType.TRANSACTION, -1),
    (EventType.VIEWED, 1),
    (EventType.CLICKED, 1),
    (EventType.ACTIVATED, 1),
    (EventType.REDEEMED, 1),
)
"""What a contact was and whether it counts for or against."""


def kind_weights(rule: EventWeights) -> NDArray[np.float32]:
    """Signed weight of each of ``KINDS``, float32, shape (n_kinds,)."""
    return np.array([sign * rule.of(event) for event, sign in KINDS], np.float32)


def kind_visits() -> NDArray[np.int32]:
    """Signed visits of each of ``KINDS``, int32, shape (n_kinds,)."""
    return np.array([sign for _, sign in KINDS], np.int32)


def in_words(contacts: NDArray[np.void]) -> NDArray[np.int64]:
    """The same memory as int64, shape (n, 3): whole words are moved faster than fields."""
    return np.ascontiguousarray(contacts).view(np.int64).reshape(contacts.size, 3)


def of_words(words: NDArray[np.int64]) -> NDArray[np.void]:
    """Inverse of :func:`in_words`."""
    return np.ascontiguousarray(words).reshape(-1).view(CONTACT)
