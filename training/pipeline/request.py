"""What is asked of one run."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from training.config import Settings
from training.errors import BadInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Files, shelf and choices of one run.

    Parameters
    ----------
    usage : tuple of Path
        At least one table of card usage.
    catalog : Path
    shelf : Path
        Root of the shelf; the issuer's folder is inside.
    issuer_id : str
    events, profiles : Path or None
        Responses, and cardholders' profiles.
    erased : Path or None
        List of erased cardholders; None for ``erased.json`` in the issuer's folder on the shelf,
        when it is there.
    scores : bool
        Whether to learn whom it is worth waking (:mod:`training.propensity`) as well; reads all
        usage into memory.
    pushes : Path or None
        Campaigns with a holdout (:mod:`training.propensity.campaigns`), from which the uplift score
        is learned; asks for ``scores`` as well.
    split_at : date or None
        First UTC day of the test part; None leaves it to ``settings.evaluation``.
    settings : Settings
    seed : int
    n_threads : int
        0 for all cores; the result does not depend on it.
    force : bool
        Publish in spite of the gate; recorded in the manifest.
    signing_key : Path or None
        PEM of an Ed25519 private key.
    report_dir : Path or None
        Where the report of a refused run is left.
    """

    usage: tuple[Path, ...]
    catalog: Path
    shelf: Path
    issuer_id: str
    events: Path | None = None
    profiles: Path | None = None
    erased: Path | None = None
    scores: bool = False
    pushes: Path | None = None
    split_at: date | None = None
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    n_threads: int = 0
    force: bool = False
    signing_key: Path | None = None
    report_dir: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a run without usage, or with one table twice."""
        if not self.usage:
            raise BadInputError("--usage: give at least one table of card usage")
        times = Counter(path.resolve() for path in self.usage)
        path, most = times.most_common(1)[0]
        if most > 1:
            raise BadInputError(
                f"--usage: {path} is given {most} times; every purchase in it would count as often"
            )
        if not 0 <= self.seed < 2**32:
            raise BadInputError(f"--seed: {self.seed} lies outside 0 to {2**32 - 1}")
