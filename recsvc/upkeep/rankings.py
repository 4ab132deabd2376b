"""The rankings that an operator chose, read from one TOML file.

```toml
[default]                  # what differs from the shipped ranking
exploration_bps = 200      # of ten thousand personalised lists, how many end with a chance item
[experiment]               # cardholders in no arm keep the default ranking
name = "visits-1"
[[experiment.rankings]]
name = "visits"
share_bps = 5000
visit_weight = 0.3
[issuer.devon.default]     # stands in place of all of the above for this issuer
max_per_category = 2
```
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from recsvc.domain.experiment import Arm, Experiment, Rankings
from recsvc.domain.policy import RankingPolicy
from recsvc.settings import read_file

IssuerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,128}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,64}$")]
Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Cap = Annotated[int, Field(ge=1, le=100)] | Literal["none"]


class Table(BaseModel):
    """A table of the file: unknown keys refused, no value turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class PolicyTable(Table):
    """One ranking; what is left out is as shipped, `none` is no cap. See `RankingPolicy`."""

    boost_weight: Weight | None = None
    visit_weight: Weight | None = None
    max_per_merchant: Cap | None = None
    max_per_category: Cap | None = None
    relax_caps: bool | None = None
    promoted_positions: list[int] | None = None
    exploration_bps: int | None = None
    exploration_pool: int | None = None

    def policy(self, name: str) -> RankingPolicy:
        """The ranking; ValueError for values that make none."""
        chosen: dict[str, Any] = {
            field: None if value == "none" else value
            for field, value in self.model_dump(include=set(PolicyTable.model_fields)).items()
            if value is not None
        }
        if self.promoted_positions is not None:
            chosen["promoted_positions"] = tuple(self.promoted_positions)
        return RankingPolicy(name=name, **chosen)


class ArmTable(PolicyTable):
    """A ranking that is compared, and its share of the cardholders in basis points."""

    name: Name
    share_bps: int


class ExperimentTable(Table):
    """Rankings that are compared with the default one."""

    name: Name
    rankings: Annotated[list[ArmTable], Field(min_length=1, max_length=20)]


class RankingTables(Table):
    """The rankings of one issuer, or of all that have none of their own."""

    default: PolicyTable = PolicyTable()
    experiment: ExperimentTable | None = None

    def chosen(self, own: Mapping[str, Rankings] | None = None) -> Rankings:
        """The rankings; ValueError for values that make none."""
        default, told = self.default.policy("default"), self.experiment
        if told is None:
            return Rankings(default, None, own or {})
        arms = (Arm(one.policy(one.name), one.share_bps) for one in told.rankings)
        return Rankings(default, Experiment(told.name, tuple(arms)), own or {})


class RankingFile(RankingTables):
    """The whole file."""

    issuer: dict[IssuerId, RankingTables] = {}

    def all(self) -> Rankings:
        """The rankings of everybody; ValueError names the issuer whose values make none."""
        return self.chosen({name: _own(name, tables) for name, tables in self.issuer.items()})


def _own(issuer_id: str, tables: RankingTables) -> Rankings:
    try:
        return tables.chosen()
    except ValueError as error:
        raise ValueError(f"issuer.{issuer_id}: {error}") from None


def read_rankings(path: Path | None) -> Rankings:
    """Rankings of a file; the shipped one without a file.

    Raises
    ------
    SettingsError
        naming the file, the field and what is wrong with it
    """
    if path is None:
        return Rankings(RankingPolicy())
    return read_file(path, _rankings)


def _rankings(text: bytes) -> Rankings:
    return RankingFile.model_validate(tomllib.loads(text.decode())).all()
