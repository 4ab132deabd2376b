"""Several named rankings at once, so that two can be compared: who gets which never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsvc.domain.chance import draw
from recsvc.domain.policy import RankingPolicy

ALL_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Arm:
    """One ranking of an experiment and its share of the cardholders, in basis points."""

    policy: RankingPolicy
    share_bps: int

    def __post_init__(self) -> None:
        """Refuse an arm that nobody could be in."""
        if not 1 <= self.share_bps <= ALL_BPS:
            raise ValueError(f"{self.policy.name}: share_bps must be 1 to {ALL_BPS}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison of rankings. Cardholders in no arm get the default ranking.

    Parameters
    ----------
    name : str
        Part of the draw, so that two experiments divide cardholders independently.
    arms : tuple of Arm
        Shares add up to at most 10,000; names differ.
    """

    name: str
    arms: tuple[Arm, ...]

    def __post_init__(self) -> None:
        """Refuse shares above the whole and names that come twice."""
        if sum(arm.share_bps for arm in self.arms) > ALL_BPS:
            raise ValueError(f"{self.name}: shares add up to more than {ALL_BPS} basis points")
        names = [arm.policy.name for arm in self.arms]
        if len({*names}) != len(names):
            raise ValueError(f"{self.name}: two rankings have one name")

    def assign(self, issuer_id: str, cardholder_id: str) -> RankingPolicy | None:
        """The cardholder's ranking, the same every time; None for the default one.

        The draw has no secret key: it must survive restarts and new secrets, and there is nothing
        to win by knowing it.
        """
        place = draw(b"", "experiment", self.name, issuer_id, cardholder_id) * ALL_BPS
        for arm in self.arms:
            place -= arm.share_bps
            if place < 0:
                return arm.policy
        return None


@dataclass(frozen=True, slots=True)
class Rankings:
    """The rankings of a service: one by default, and those that are being compared.

    Parameters
    ----------
    default : ranking of those in no arm
    experiment : None for no comparison
    own : by issuer
        Of issuers with rankings of their own, which stand in place of these as a whole.
    """

    default: RankingPolicy
    experiment: Experiment | None = None
    own: Mapping[str, "Rankings"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an arm that goes by the default ranking's name: its results could not be told."""
        if len({*self.names()}) != len(self.names()):
            raise ValueError(
                f"an arm is named {self.default.name!r}, as the ranking of those in no arm; "
                "leave it out, or give it another name"
            )
        if any(rankings.own for rankings in self.own.values()):
            raise ValueError("rankings of one issuer cannot hold those of another")

    def for_issuer(self, issuer_id: str) -> "Rankings":
        """The rankings of an issuer: his own or, where he has none, these."""
        return self.own.get(issuer_id, self)

    def of(self, issuer_id: str, cardholder_id: str) -> RankingPolicy:
        """Ranking of a personalised cardholder."""
        chosen = self.for_issuer(issuer_id)
        if chosen.experiment is None:
            return chosen.default
        return chosen.experiment.assign(issuer_id, cardholder_id) or chosen.default

    @property
    def experiment_name(self) -> str | None:
        """Name of the experiment that runs, if any."""
        return self.experiment.name if self.experiment else None

    def names(self) -> Sequence[str]:
        """Names of all rankings, the default one first."""
        arms = self.experiment.arms if self.experiment else ()
        return [self.default.name, *(arm.policy.name for arm in arms)]

    def shares(self) -> dict[str, int]:
        """Basis points of the cardholders by ranking, the default one first."""
        arms = self.experiment.arms if self.experiment else ()
        told = {arm.policy.name: arm.share_bps for arm in arms}
        return {self.default.name: ALL_BPS - sum(told.values()), **told}
