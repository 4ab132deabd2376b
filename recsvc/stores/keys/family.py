"""What a row of the key table says, and how its keys are spelled."""

from dataclasses import dataclass
from typing import Literal

LAYOUT = "r1"
EVERY_ISSUER = "*"
"""Stands where an issuer stands, for the few keys that are read before the issuer is known."""

DAY_SECONDS = 24 * 60 * 60
WEEK_SECONDS = 7 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the table.

    Parameters
    ----------
    name : word in the key
    kind : type of the value
    role : which store it lives in
    ttl_seconds : time to live; None only when `kept` says what ends it
    kept : how long it stays and what removes it
    holds : what is in it
    personal : whether it tells of one cardholder, and so must be exported and erased with him
    """

    name: str
    kind: Literal["string", "hash", "set", "zset", "stream"]
    role: Literal["cache", "durable"]
    ttl_seconds: int | None
    kept: str
    holds: str
    personal: bool = False

    def __post_init__(self) -> None:
        """Refuse a family that nobody has decided an end for: nothing is kept without a limit."""
        if self.ttl_seconds is None and not self.kept:
            raise ValueError(f"{self.name}: say how long it is kept and what removes it")

    def key(self, issuer_id: str, *parts: str) -> str:
        """The key of this family for an issuer and, where it has any, further ids."""
        return ":".join((LAYOUT, f"{{{issuer_id}}}", self.name, *parts))
