"""Settings of a run: what the model is, how it is judged; read from a TOML file, and written.

Sections: ``[model]`` with ``[model.step]``, ``[model.events]`` and ``[model.blend]``,
``[composition]``, ``[gate]``, ``[evaluation]``. What a file leaves out keeps its default; what we
do not know is refused.
"""

import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar

from embeddings.blend import Blend
from embeddings.compose import Composition
from embeddings.factors import HalfStep
from embeddings.interactions import EventWeights
from training.errors import BadInputError
from training.gate.rule import GateRule
from training.weighting import ModelParameters

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPlan:
    """How a run is evaluated.

    Parameters
    ----------
    k : int
        Length of the judged lists, 1 to 500.
    test_days : int or None
        Days at the end of the window that are held out; None for a tenth, at least 7 and at
        most 90.
    max_cardholders : int
        Cardholders the evaluation is fitted and judged on, at least 1; a uniform sample when
        there are more.
    bootstrap_rounds : int
        Resamples behind each interval, at least 100.
    """

    k: int = 20
    test_days: int | None = None
    max_cardholders: int = 10_000
    bootstrap_rounds: int = 1000

    def __post_init__(self) -> None:
        """Refuse what cannot be evaluated."""
        if not 1 <= self.k <= 500:
            raise ValueError(f"k: {self.k} lies outside 1 to 500")
        if self.test_days is not None and self.test_days < 1:
            raise ValueError(f"test_days: {self.test_days} must be at least 1")
        if self.max_cardholders < 1:
            raise ValueError(f"max_cardholders: {self.max_cardholders} must be at least 1")
        if self.bootstrap_rounds < 100:
            raise ValueError(f"bootstrap_rounds: {self.bootstrap_rounds} must be at least 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one run.

    Parameters
    ----------
    model : ModelParameters
    composition : Composition
    gate : GateRule
    evaluation : EvaluationPlan
    """

    model: ModelParameters = field(default_factory=ModelParameters)
    composition: Composition = field(default_factory=Composition)
    gate: GateRule = field(default_factory=GateRule)
    evaluation: EvaluationPlan = field(default_factory=EvaluationPlan)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Settings of a TOML file.

        Raises
        ------
        BadInputError
            Names the file and the setting that is unknown or out of range.
        """
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadInputError(f"{path}: not readable as TOML: {error}") from error
        try:
            return cls.from_document(document)
        except (ValueError, TypeError) as error:
            raise BadInputError(f"{path}: {error}") from error

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Settings of a document; ValueError names what is unknown or out of range."""
        _refuse_unknown("", document, cls)
        model = document.get("model", {})
        _refuse_unknown("model.", model, ModelParameters)
        _refuse_unknown("model.step.", model.get("step", {}), HalfStep)
        _refuse_unknown("model.events.", model.get("events", {}), EventWeights)
        _refuse_unknown("model.blend.", model.get("blend", {}), Blend)
        return cls(
            model=_made("model", ModelParameters.from_document, model),
            composition=_section(document, "composition", Composition),
            gate=_section(document, "gate", GateRule),
            evaluation=_section(document, "evaluation", EvaluationPlan),
        )

    def as_document(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "model": self.model.as_document(),
            "composition": self.composition.as_document(),
            "gate": asdict(self.gate),
            "evaluation": asdict(self.evaluation),
        }


def _section(document: dict[str, Any], name: str, kind: type[Part]) -> Part:
    """One flat section."""
    section = document.get(name, {})
    _refuse_unknown(f"{name}.", section, kind)
    return _made(name, lambda found: kind(**found), section)


def _made(name: str, make: Callable[[dict[str, Any]], Part], section: dict[str, Any]) -> Part:
    try:
        return make(section)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error


def _refuse_unknown(prefix: str, section: object, kind: type[Any]) -> None:
    if not isinstance(section, dict):
        raise ValueError(f"{prefix.rstrip('.')}: must be a table of settings")  # noqa: TRY004
    known = sorted(f.name for f in fields(kind))
    if unknown := sorted(set(section) - set(known)):
        names = ", ".join(prefix + name for name in known)
        raise ValueError(f"{prefix}{unknown[0]} is not a setting; known are {names}")


def as_toml(parameters: ModelParameters) -> str:
    """``[model]`` section of a settings file; :meth:`Settings.read` makes the same of it."""
    document = parameters.as_document()
    plain = {name: value for name, value in document.items() if not isinstance(value, dict)}
    lines = ["[model]", *_assignments(plain)]
    for name, section in document.items():
        if isinstance(section, dict):
            lines += ["", f"[model.{name}]", *_assignments(section)]
    return "\n".join(lines) + "\n"


def _assignments(section: dict[str, Any]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in section.items()]


def _toml(value: object) -> str:
    if value is None:
        return "inf"  # a half-life without end
    return f'"{value}"' if isinstance(value, str) else repr(value)
