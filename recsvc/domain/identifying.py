"""Numbers that name a person; how they are found, the trainer knows too."""

from embeddings.identifying import (
    CHECKS,
    MANY_DIGITS,
    WEIGHTS,
    Identifying,
    identifying,
    is_resident_id,
    may_hold_many_digits,
)

__all__ = [
    "CHECKS",
    "MANY_DIGITS",
    "WEIGHTS",
    "Identifying",
    "identifying",
    "is_resident_id",
    "may_hold_many_digits",
]
