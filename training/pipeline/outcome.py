"""How a run ended."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.contest import Contest
from training.gate import Reason

PUBLISHED, REFUSED = 0, 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    version : str or None
        Of the published bundle; None when the gate refused.
    reasons : tuple of Reason
        Against the publication; beside a version only when it was forced.
    report : Path
        Folder that holds ``report.html`` and ``report.json``.
    contest : Contest
    warnings : tuple of str
        What may be wrong with the input and refuses nothing; one sentence each.
    is_pinned : bool
        Whether another version serves because the shelf is pinned.
    """

    version: str | None
    reasons: tuple[Reason, ...]
    report: Path
    contest: Contest = field(repr=False)
    warnings: tuple[str, ...]
    is_pinned: bool

    @property
    def exit_code(self) -> int:
        """0 published, 3 refused."""
        return REFUSED if self.version is None else PUBLISHED

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "version": self.version,
            "refused": self.version is None,
            "serving": self.version is not None and not self.is_pinned,
            "reasons": [reason.as_document() for reason in self.reasons],
            "warnings": list(self.warnings),
            "report": str(self.report / "report.html"),
            "k": self.contest.k,
            "evaluation": self.contest.summary(),
        }

    def sentences(self) -> list[str]:
        """Lines for people."""
        lines = [f"{reason.code.value}: {reason.sentence}" for reason in self.reasons]
        warnings = [f"warning: {sentence}" for sentence in self.warnings]
        if self.version is None:
            refused = "refused by the gate; the shelf is as it was"
            return [*warnings, refused, *lines, self._where()]
        lines = [*(f"forced in spite of {line}" for line in lines), f"published {self.version}"]
        if self.is_pinned:
            lines.append("the shelf is pinned, so the earlier version keeps serving")
        return [*warnings, *lines, self._where()]

    def _where(self) -> str:
        return f"report: {self.report / 'report.html'}"
