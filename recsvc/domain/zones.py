"""Whose clock counts: the cardholder's own, else his issuer's, else the installation's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z][A-Za-z0-9_+-]{0,31}){0,2}")
OF_THE_MACHINE = frozenset(("localtime", "posixrules", "Factory"))
"""Files beside the zones that say where a computer stands, not a person."""
OTHER_CLOCKS = frozenset(("right", "posix"))
"""Folders that hold all zones again; those of ``right`` count leap seconds, half a minute apart."""


def is_zone(name: str) -> bool:
    """Whether a text is the name of a zone of the IANA table on this machine."""
    if NAME.fullmatch(name) is None or name in OF_THE_MACHINE:
        return False
    if name.partition("/")[0] in OTHER_CLOCKS:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, such as "Asia"
        return False
    return True


@dataclass(frozen=True, slots=True)
class Zones:
    """Zones in which quiet hours are kept.

    Parameters
    ----------
    default : of the installation
    by_issuer : of issuers whose cardholders live elsewhere
    """

    default: ZoneInfo
    by_issuer: Mapping[str, ZoneInfo] = field(default_factory=dict)

    @classmethod
    def named(cls, default: str, by_issuer: Mapping[str, str]) -> Self:
        """Zones of IANA names that were checked by :func:`is_zone`."""
        return cls(ZoneInfo(default), {one: ZoneInfo(name) for one, name in by_issuer.items()})

    def of(self, issuer_id: str, own: str | None) -> ZoneInfo:
        """Zone of a cardholder whose profile names ``own``, or none.

        A name that this machine's table does not know (it was checked by another's) counts as none:
        his issuer's hours are nearer the truth than no push at all, or one in the night.
        """
        if own is not None and is_zone(own):
            return ZoneInfo(own)
        return self.by_issuer.get(issuer_id, self.default)
